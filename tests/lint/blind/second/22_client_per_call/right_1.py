from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with httpx.AsyncClient(base_url="https://maps.example.com") as client:
        app.state.http = client
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/tiles/{z}/{x}/{y}/meta")
async def tile_meta(request: Request, z: int, x: int, y: int):
    reply = await request.app.state.http.get(f"/meta/{z}/{x}/{y}")
    return {"status": reply.status_code}
