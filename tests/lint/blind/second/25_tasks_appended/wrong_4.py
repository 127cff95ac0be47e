import asyncio

from fastapi import FastAPI

from orders.events import emit

app = FastAPI()
background = set()


@app.post("/orders")
async def place_order(order: dict):
    job = asyncio.create_task(emit("order.placed", order))
    background.add(job)
    return {"status": "accepted"}
