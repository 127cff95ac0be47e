import sqlite3


class WordIndex:
    _rows = None

    def __init__(self, path):
        self.conn = sqlite3.connect(path)

    def rows(self):
        self._rows = self._rows or self.conn.execute("SELECT word, doc FROM postings").fetchall()
        return self._rows
