from pymongo import MongoClient


class SightingExporter:
    page_size = 1000

    def __init__(self, uri: str) -> None:
        self.client = MongoClient(uri)
        self.sightings = self.client["birds"]["sightings"]

    def export(self, writer) -> None:
        total = self.sightings.count_documents({})
        for start in range(0, total, self.page_size):
            cursor = self.sightings.find({}).sort("_id", 1).skip(start).limit(self.page_size)
            for doc in cursor:
                writer.write(doc["species"], doc["lon"], doc["lat"])
