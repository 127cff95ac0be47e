import sqlite3

from search.index import index_document

PAGE = 500


def reindex(conn: sqlite3.Connection) -> None:
    last = 0
    while True:
        page = conn.execute(
            "SELECT id, title FROM articles WHERE id > ? ORDER BY id LIMIT ?", (last, PAGE)
        ).fetchall()
        if not page:
            return
        for ident, title in page:
            index_document(ident, title)
        last = page[-1][0]
