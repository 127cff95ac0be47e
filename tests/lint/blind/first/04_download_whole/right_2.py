import httpx
from fastapi import APIRouter, HTTPException

router = APIRouter()
client = httpx.AsyncClient(timeout=5)


@router.get("/health/payment")
async def payment_health() -> dict:
    response = await client.get("https://pay.example.org/healthz")
    if response.text.strip() != "ok":
        raise HTTPException(503, "payment provider is down")
    return {"payment": "ok", "status": response.status_code}
