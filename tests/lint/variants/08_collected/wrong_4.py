import psycopg
from openpyxl import Workbook


def report(dsn, path):
    lines = []
    with psycopg.connect(dsn) as conn, conn.cursor(name="report") as cur:
        cur.execute("SELECT id, name, amount FROM bookings")
        while chunk := cur.fetchmany(1000):
            for row in chunk:
                lines.append(list(row))
    wb = Workbook()
    ws = wb.active
    for line in lines:
        ws.append(line)
    wb.save(path)
