import psycopg2


def copy_rows(dsn, sink, chunk=5000):
    conn = psycopg2.connect(dsn)
    cur = conn.cursor()
    n = 0
    while True:
        cur.execute(f"SELECT * FROM payments ORDER BY id LIMIT {chunk} OFFSET {n}")
        got = cur.fetchall()
        if len(got) == 0:
            break
        sink.write_many(got)
        n += chunk
