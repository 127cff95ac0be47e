import psycopg2

DSN = "dbname=warehouse"


def stream_parcels(sink):
    conn = psycopg2.connect(DSN)
    try:
        with conn.cursor(name="parcel_export") as cur:
            cur.itersize = 2000
            cur.execute("SELECT parcel_no, depot, weight FROM parcels")
            for parcel_no, depot, weight in cur:
                sink.write(f"{parcel_no},{depot},{weight}\n")
    finally:
        conn.close()
