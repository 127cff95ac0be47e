import asyncio

import aiohttp
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.models import Product


async def fetch_stock(http: aiohttp.ClientSession, sku: str) -> int:
    async with http.get(f"https://stock.example.com/{sku}") as resp:
        return (await resp.json())["stock"]


async def refresh_stock(session: AsyncSession) -> None:
    products = (await session.scalars(select(Product))).all()
    async with aiohttp.ClientSession() as http:
        levels = await asyncio.gather(*(fetch_stock(http, p.sku) for p in products))
    for product, level in zip(products, levels):
        product.stock = level
    await session.commit()
