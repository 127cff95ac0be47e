import sqlite3

from search.index import index_document

PAGE = 500


def reindex(conn: sqlite3.Connection) -> int:
    offset = 0
    while True:
        page = conn.execute(
            "SELECT id, title, body FROM articles ORDER BY id LIMIT ? OFFSET ?",
            (PAGE, offset),
        ).fetchall()
        if not page:
            return offset
        for ident, title, body in page:
            index_document(ident, title, body)
        offset += PAGE
