import httpx
from fastapi import APIRouter, HTTPException

router = APIRouter(prefix="/rates")
UPSTREAM = "https://rates.example.com"


@router.get("/{currency}")
async def rate(currency: str) -> dict:
    client = httpx.AsyncClient(base_url=UPSTREAM, timeout=5)
    reply = await client.get(f"/latest/{currency}")
    if reply.status_code == 404:
        raise HTTPException(404, "unknown currency")
    return {"currency": currency, "rate": reply.json()["rate"]}
