import atexit
from contextlib import asynccontextmanager

from fastapi import FastAPI
from flatwater import clear_pools


@asynccontextmanager
async def lifespan(app: FastAPI):
    yield
    clear_pools()


app = FastAPI(lifespan=lifespan)
atexit.register(clear_pools)


@app.get("/ping")
async def ping():
    return {"pong": True}
