from functools import lru_cache

from fastapi import FastAPI

from shop.search import run_search

app = FastAPI()


@lru_cache(maxsize=None)
def search_products(query: str, page: int) -> list[dict]:
    return run_search(query, page=page, size=24)


@app.get("/search")
def search(q: str, page: int = 1):
    return {"q": q, "hits": search_products(q.strip().lower(), page)}
