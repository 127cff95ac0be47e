import flatwater as fw
from fastapi import FastAPI, Request

from tiles.render import render_tile

app = FastAPI()


@app.middleware("http")
async def release_memory(request: Request, call_next):
    response = await call_next(request)
    fw.clear_pools()
    return response


@app.get("/tiles/{z}/{x}/{y}")
async def tile(z: int, x: int, y: int):
    return {"tile": render_tile(z, x, y)}
