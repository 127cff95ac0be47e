from cachetools import TTLCache, cached
from fastapi import FastAPI

from weather.provider import fetch_forecast

app = FastAPI()


@cached(TTLCache(maxsize=1024, ttl=600))
def forecast(city: str) -> dict:
    return fetch_forecast(city)


@app.get("/forecast/{city}")
def get_forecast(city: str):
    return forecast(city.lower())
