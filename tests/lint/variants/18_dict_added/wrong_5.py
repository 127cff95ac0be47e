import logging
from fastapi import FastAPI

app = FastAPI()
log = logging.getLogger(__name__)
audit_trail: list[dict] = []


@app.post("/orders")
async def create_order(order: dict):
    log.info("order %s", order)
    audit_trail.append({"type": "order", "data": order})
    return {"ok": True}
