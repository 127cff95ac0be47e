from datetime import datetime
from typing import AsyncIterator

import asyncpg

QUERY = """
    SELECT id, sensor, value, measured_at
    FROM measurements
    WHERE measured_at >= $1
    ORDER BY id
    LIMIT $2 OFFSET $3
"""


async def measurement_pages(
    conn: asyncpg.Connection, since: datetime, size: int = 2000
) -> AsyncIterator[list[asyncpg.Record]]:
    page_no = 0
    while True:
        rows = await conn.fetch(QUERY, since, size, page_no * size)
        if not rows:
            return
        yield rows
        page_no += 1
