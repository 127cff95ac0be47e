import httpx
from fastapi import FastAPI, HTTPException

app = FastAPI()


@app.get("/weather/{city}")
async def weather(city: str) -> dict:
    async with httpx.AsyncClient(timeout=5) as client:
        reply = await client.get("https://api.weather.example/now", params={"q": city})
    if reply.is_error:
        raise HTTPException(502)
    return reply.json()
