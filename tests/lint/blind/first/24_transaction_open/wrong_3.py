import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from places.models import Place


async def geocode_missing(engine: AsyncEngine, http: httpx.AsyncClient) -> None:
    async with AsyncSession(engine) as session, session.begin():
        places = await session.stream_scalars(select(Place).where(Place.lon.is_(None)))
        async for place in places:
            answer = await http.get("/search", params={"q": place.address})
            hit = answer.json()[0]
            place.lon, place.lat = hit["lon"], hit["lat"]
