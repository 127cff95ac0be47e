import csv

import httpx


class PriceFeed:
    def __init__(self, base_url: str, token: str) -> None:
        self._client = httpx.Client(
            base_url=base_url, headers={"Authorization": f"Bearer {token}"}
        )

    def prices(self, day: str):
        resp = self._client.get(f"/exports/prices-{day}.csv")
        resp.raise_for_status()
        reader = csv.DictReader(resp.text.splitlines())
        for row in reader:
            yield row["isin"], float(row["close"])

    def close(self) -> None:
        self._client.close()
