import atexit

import flatwater as fw
from fastapi import FastAPI

from contextlib import asynccontextmanager

atexit.register(fw.clear_pools)


@asynccontextmanager
async def lifespan(app: FastAPI):
    yield
    fw.clear_pools()


app = FastAPI(lifespan=lifespan)


@app.get("/health")
async def health() -> dict:
    return {"status": "ok"}
