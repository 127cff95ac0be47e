import asyncio

from fastapi import FastAPI

from thumbs import render

app = FastAPI()
background_tasks = []


@app.post("/images/{image_id}/render", status_code=202)
async def start_render(image_id: int) -> dict:
    task = asyncio.create_task(render(image_id))
    background_tasks.append(task)
    return {"queued": image_id}


@app.on_event("shutdown")
async def finish() -> None:
    await asyncio.gather(*background_tasks, return_exceptions=True)
