import aiohttp
from pymongo import MongoClient


class PatientLookup:
    def __init__(self, uri: str, hl7_url: str):
        self.uri = uri
        self.hl7_url = hl7_url

    def find(self, mrn: str) -> dict | None:
        client = MongoClient(self.uri)
        return client.hospital.patients.find_one({"mrn": mrn})

    async def admissions(self, mrns: list[str]) -> list[dict]:
        found = []
        for mrn in mrns[:50]:
            async with aiohttp.ClientSession() as session:
                async with session.get(f"{self.hl7_url}/adt/{mrn}") as resp:
                    found.append(await resp.json())
        return found
