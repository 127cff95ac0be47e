import csv

import pymysql


def connect():
    return pymysql.connect(host="db", user="ro", password="ro", database="telemetry", charset="utf8mb4")


def dump_positions(path):
    connection = connect()
    try:
        with connection.cursor() as cursor, open(path, "w", newline="") as fh:
            writer = csv.writer(fh)
            cursor.execute("SELECT vehicle, ts, lat, lon FROM positions")
            for position in cursor:
                writer.writerow(position)
    finally:
        connection.close()
