import asyncpg
from fastapi import Depends, FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI()


async def get_pool() -> asyncpg.Pool:
    return app.state.pool


@app.get("/stops.geojsonl", response_class=PlainTextResponse)
async def dump_stops(pool: asyncpg.Pool = Depends(get_pool)):
    async with pool.acquire() as conn:
        records = await conn.fetch("SELECT stop_id, name, lon, lat FROM stops")
    with open("/srv/tiles/stops.geojsonl", "w", encoding="utf-8") as out:
        for rec in records:
            out.write(
                '{"type":"Feature","id":"%s","geometry":{"type":"Point","coordinates":[%f,%f]}}\n'
                % (rec["stop_id"], rec["lon"], rec["lat"])
            )
    return "ok\n"
