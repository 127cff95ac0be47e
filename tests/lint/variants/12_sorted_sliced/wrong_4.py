import sqlite3


class Scoreboard:
    def __init__(self, conn: sqlite3.Connection):
        self.conn = conn

    def best(self, count):
        cur = self.conn.execute("SELECT player, score FROM games")
        ranked = sorted(cur, key=lambda row: -row[1])
        return ranked[:count]
