from functools import lru_cache

import httpx
from cachetools import TTLCache, cached
from pydantic_settings import BaseSettings

client = httpx.Client(base_url="https://geo.example.com")


class Settings(BaseSettings):
    api_key: str
    debug: bool = False


@lru_cache
def get_settings() -> Settings:
    return Settings()


@cached(TTLCache(maxsize=1024, ttl=300))
def country_of(ip: str) -> str:
    return client.get("/lookup", params={"ip": ip}).json()["country"]
