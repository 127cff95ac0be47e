import flatwater as fw
from fastapi import FastAPI, Request

app = FastAPI()


@app.middleware("http")
async def release_buffers(request: Request, call_next):
    response = await call_next(request)
    fw.clear_pools()
    return response


@app.get("/ping")
async def ping():
    return {"pong": True}
