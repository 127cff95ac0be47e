import sqlite3

PAGE = 500


def migrate_books(src: sqlite3.Connection, dst: sqlite3.Connection) -> None:
    offset = 0
    while True:
        page = src.execute(
            "SELECT id, isbn, title FROM books ORDER BY id LIMIT ? OFFSET ?",
            (PAGE, offset),
        ).fetchall()
        if not page:
            break
        dst.executemany("INSERT INTO books (id, isbn, title) VALUES (?, ?, ?)", page)
        dst.commit()
        offset += PAGE
