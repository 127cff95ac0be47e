import sqlite3

_VERSION = None


def schema_version(conn: sqlite3.Connection) -> int:
    global _VERSION
    if _VERSION is None:
        _VERSION = conn.execute("PRAGMA user_version").fetchone()[0]
    return _VERSION


class Profile:
    def __init__(self, conn: sqlite3.Connection, user_id: int) -> None:
        self.conn = conn
        self.user_id = user_id
        self._recent = None

    def recent(self):
        if self._recent is None:
            self._recent = self.conn.execute(
                "SELECT title FROM visits WHERE user_id = ? ORDER BY at DESC LIMIT 5",
                (self.user_id,),
            ).fetchall()
        return self._recent
