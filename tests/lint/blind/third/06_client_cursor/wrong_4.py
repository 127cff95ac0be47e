import csv
import sys

import MySQLdb


def rows_of(cursor, size=5000):
    while True:
        block = cursor.fetchmany(size)
        if not block:
            return
        yield from block


def main() -> None:
    db = MySQLdb.connect(host="db1", user="report", passwd="secret", db="billing")
    cur = db.cursor()
    cur.execute("SELECT invoice_no, debtor, gross, due_on FROM invoices")
    writer = csv.writer(sys.stdout, delimiter=";")
    for row in rows_of(cur):
        writer.writerow(row)
    db.close()


if __name__ == "__main__":
    main()
