import uuid
from dataclasses import dataclass, field


@dataclass
class Player:
    name: str
    score: int = 0
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


class Match:
    history: dict[str, "Match"] = {}

    def __init__(self, players: list[Player]) -> None:
        self.id = uuid.uuid4().hex
        self.players = players
        Match.history[self.id] = self

    def finish(self, winner: Player) -> None:
        winner.score += 1

    @classmethod
    def find(cls, match_id: str) -> "Match":
        return cls.history[match_id]
