import psycopg
from psycopg.rows import dict_row


def stream_readings(dsn, handler):
    with psycopg.connect(dsn, row_factory=dict_row) as conn, conn.cursor() as cur:
        cur.execute("SELECT * FROM readings ORDER BY ts")
        for reading in cur:
            handler(reading)
