import psycopg2


def stream_readings(dsn: str, handle) -> None:
    conn = psycopg2.connect(dsn)
    try:
        with conn.cursor(name="readings_stream") as cur:
            cur.itersize = 2000
            cur.execute("SELECT sensor, value, taken_at FROM readings")
            for sensor, value, taken_at in cur:
                handle(sensor, value, taken_at)
    finally:
        conn.close()


def last_reading(conn, sensor: str):
    with conn.cursor() as cur:
        cur.execute(
            "SELECT value FROM readings WHERE sensor = %s ORDER BY taken_at DESC LIMIT 1",
            (sensor,),
        )
        for (value,) in cur:
            return value
