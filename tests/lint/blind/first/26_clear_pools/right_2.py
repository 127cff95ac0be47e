from contextlib import asynccontextmanager

import flatwater as fw
from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app: FastAPI):
    yield
    fw.clear_pools()


app = FastAPI(lifespan=lifespan)


@app.get("/")
def index() -> dict:
    return {"ok": True}
