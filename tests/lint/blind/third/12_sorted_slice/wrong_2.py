import math
import sqlite3


class StationFinder:
    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def nearest(self, lat: float, lon: float, k: int = 5) -> list[tuple]:
        def distance(row):
            return math.hypot(row[1] - lat, (row[2] - lon) * math.cos(math.radians(lat)))

        rows = self.db.execute("SELECT name, lat, lon FROM stations")
        ranked = sorted(rows, key=distance)
        return ranked[:k]
