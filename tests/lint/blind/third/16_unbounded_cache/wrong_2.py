import functools

import httpx
from fastapi import FastAPI

app = FastAPI()
client = httpx.Client(base_url="https://geo.example.com")


@functools.cache
def geolocate(ip: str) -> dict:
    response = client.get("/lookup", params={"ip": ip})
    response.raise_for_status()
    return response.json()


@app.get("/welcome/{ip}")
def welcome(ip: str) -> dict:
    return {"greeting": f"Hello visitor from {geolocate(ip)['city']}"}
