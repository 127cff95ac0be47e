import psycopg
from psycopg.rows import dict_row

from hospital.fhir import to_observation


async def push_observations(conninfo: str, fhir) -> int:
    pushed = 0
    conn = await psycopg.AsyncConnection.connect(conninfo, row_factory=dict_row)
    async with conn:
        async with conn.cursor() as cur:
            await cur.execute(
                "SELECT patient_id, code, value, unit, observed_at FROM observations"
            )
            async for row in cur:
                await fhir.create(to_observation(row))
                pushed += 1
    return pushed
