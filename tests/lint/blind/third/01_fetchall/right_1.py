import sqlite3
from dataclasses import dataclass


@dataclass
class Score:
    player: str
    points: int


def top_scores(conn: sqlite3.Connection, board: str) -> list[Score]:
    cur = conn.execute(
        "SELECT player, points FROM scores WHERE board = ? ORDER BY points DESC LIMIT 20",
        (board,),
    )
    return [Score(player, points) for player, points in cur.fetchall()]


def table_columns(conn: sqlite3.Connection, table: str) -> list[str]:
    cur = conn.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return [name for (name,) in cur.fetchall()]
