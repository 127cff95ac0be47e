import asyncio
import json

import aiohttp


async def classify(http: aiohttp.ClientSession, review: dict) -> str:
    async with http.post("http://model:8000/predict", json=review) as answer:
        return (await answer.json())["label"]


async def label_reviews(jsonl: str) -> list[str]:
    async with aiohttp.ClientSession() as http:
        with open(jsonl) as reviews:
            tasks = [
                asyncio.create_task(classify(http, json.loads(line))) for line in reviews
            ]
        return await asyncio.gather(*tasks)
