import csv

import httpx

from rates.db import upsert_rate


class RateImporter:
    def __init__(self, base_url: str) -> None:
        self.client = httpx.Client(base_url=base_url, timeout=120)

    def run(self, year: int) -> int:
        response = self.client.get(f"/export/ticks-{year}.csv")
        response.raise_for_status()
        count = 0
        for record in csv.DictReader(response.text.splitlines()):
            upsert_rate(record["pair"], record["ts"], float(record["mid"]))
            count += 1
        return count
