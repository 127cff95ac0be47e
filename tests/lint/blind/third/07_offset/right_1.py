import psycopg2

PAGE = 1000


def each_order(conn):
    last_id = 0
    while True:
        with conn.cursor() as cur:
            cur.execute(
                "SELECT id, total FROM orders WHERE id > %s ORDER BY id LIMIT %s",
                (last_id, PAGE),
            )
            rows = cur.fetchall()
        if not rows:
            return
        yield from rows
        last_id = rows[-1][0]
