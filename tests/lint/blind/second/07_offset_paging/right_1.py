import sqlite3

PAGE = 1000


def walk_orders(conn: sqlite3.Connection):
    last_id = 0
    while True:
        page = conn.execute(
            "SELECT id, customer, total FROM orders WHERE id > ? ORDER BY id LIMIT ?",
            (last_id, PAGE),
        ).fetchmany(PAGE)
        if not page:
            return
        for order in page:
            yield order
        last_id = page[-1][0]
