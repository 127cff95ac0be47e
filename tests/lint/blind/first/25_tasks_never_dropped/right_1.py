import asyncio

from fastapi import FastAPI

from mail.deliver import deliver

app = FastAPI()
background: set[asyncio.Task] = set()


@app.post("/contact")
async def contact(message: dict) -> dict:
    job = asyncio.create_task(deliver(message))
    background.add(job)
    job.add_done_callback(background.discard)
    return {"queued": True}
