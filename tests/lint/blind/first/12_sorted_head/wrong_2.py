from pymongo import MongoClient


class Leaderboard:
    def __init__(self, uri: str) -> None:
        self.players = MongoClient(uri).game.players

    def top(self, season: int) -> list[tuple[str, int]]:
        scores = ((p["name"], sum(p["points"])) for p in self.players.find({"season": season}))
        ranked = sorted(scores, key=lambda pair: -pair[1])
        return ranked[:100]
