import asyncio

import aiohttp


async def fetch_tariff(zone: str) -> dict:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"https://tariffs.example/zones/{zone}") as resp:
            return await resp.json()


class TariffPoller:
    def __init__(self, zones: list[str], interval: float = 60.0) -> None:
        self.zones = zones
        self.interval = interval
        self.latest: dict[str, dict] = {}

    async def run(self) -> None:
        while True:
            for zone in self.zones:
                self.latest[zone] = await fetch_tariff(zone)
            await asyncio.sleep(self.interval)
