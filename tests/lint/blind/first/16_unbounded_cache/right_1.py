from functools import lru_cache

from fastapi import FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    dsn: str = "postgresql:///shop"
    debug: bool = False


@lru_cache
def get_settings() -> Settings:
    return Settings()


app = FastAPI(debug=get_settings().debug)


@app.get("/debug")
def debug() -> dict:
    return {"debug": get_settings().debug}
