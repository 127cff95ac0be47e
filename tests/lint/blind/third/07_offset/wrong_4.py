from pymongo import MongoClient


class TrackMigrator:
    def __init__(self, uri: str, per_page: int = 1000) -> None:
        self.tracks = MongoClient(uri).music.tracks
        self.per_page = per_page

    def pages(self):
        skip = 0
        while True:
            page = list(self.tracks.find({}).sort("_id", 1).skip(skip).limit(self.per_page))
            if not page:
                break
            yield page
            skip += self.per_page

    def migrate(self, target) -> None:
        for page in self.pages():
            target.insert_many(page)
