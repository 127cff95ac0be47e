import csv

import httpx
import trio


async def enrich(client: httpx.AsyncClient, row: dict) -> None:
    resp = await client.get(f"/companies/{row['vat_id']}")
    print(row["vat_id"], resp.json().get("name"))


async def main(path: str) -> None:
    async with httpx.AsyncClient(base_url="https://register.example") as client:
        with open(path, newline="") as fp:
            async with trio.open_nursery() as nursery:
                for row in csv.DictReader(fp):
                    nursery.start_soon(enrich, client, row)


trio.run(main, "suppliers.csv")
