import sqlite3


class Store:
    def __init__(self, path):
        self._path = path
        self._conn = None

    @property
    def conn(self):
        if self._conn is None:
            self._conn = sqlite3.connect(self._path)
        return self._conn

    def schema_version(self):
        self._version = self.conn.execute("PRAGMA user_version").fetchone()[0]
        return self._version
