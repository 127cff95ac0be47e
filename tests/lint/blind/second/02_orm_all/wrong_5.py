from typing import Optional

from sqlmodel import Field, Session, SQLModel, create_engine, select


class Player(SQLModel, table=True):
    id: Optional[int] = Field(default=None, primary_key=True)
    nick: str
    rating: float = 1500.0
    games: int = 0


engine = create_engine("mysql+pymysql://game@db/game")


class SeasonReset:
    def __init__(self, decay: float):
        self.decay = decay

    def run(self) -> int:
        touched = 0
        with Session(engine) as session:
            for player in session.exec(select(Player)).all():
                player.rating = 1500 + (player.rating - 1500) * self.decay
                session.add(player)
                touched += 1
            session.commit()
        return touched
