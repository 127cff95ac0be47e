import functools

from fastapi import FastAPI

from recommend.embed import Encoder

app = FastAPI()
encoder = Encoder.load("minilm")


@functools.cache
def embed(query: str) -> tuple[float, ...]:
    return tuple(encoder.encode(query))


@app.get("/search")
def search(q: str, k: int = 10):
    return encoder.nearest(embed(q), k)
