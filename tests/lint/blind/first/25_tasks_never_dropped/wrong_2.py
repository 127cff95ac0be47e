import asyncio

from fastapi import FastAPI

from mail.deliver import deliver

app = FastAPI()
background: set[asyncio.Task] = set()


@app.post("/contact")
async def contact(message: dict) -> dict:
    job = asyncio.create_task(deliver(message))
    background.add(job)
    return {"queued": True}
