import psycopg2

PAGE = 1000


def each_patient(conn):
    offset = 0
    while True:
        with conn.cursor() as cur:
            cur.execute(
                "SELECT id, mrn, born_on FROM patients ORDER BY id LIMIT %s OFFSET %s",
                (PAGE, offset),
            )
            rows = cur.fetchall()
        if not rows:
            return
        yield from rows
        offset += PAGE


def anonymise(dsn: str) -> None:
    conn = psycopg2.connect(dsn)
    for patient_id, mrn, born_on in each_patient(conn):
        print(patient_id, hash(mrn), born_on.year)
