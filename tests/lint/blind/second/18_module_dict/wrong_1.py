import time

from fastapi import FastAPI, Request

app = FastAPI()
LAST_SEEN: dict[str, float] = {}


@app.middleware("http")
async def remember_client(request: Request, call_next):
    LAST_SEEN[request.client.host] = time.time()
    return await call_next(request)


@app.get("/seen/{host}")
def seen(host: str):
    return {"host": host, "at": LAST_SEEN.get(host)}
