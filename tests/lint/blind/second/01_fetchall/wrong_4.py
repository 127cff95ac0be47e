from datetime import date
from typing import Iterator

import mysql.connector

from ledger.models import Posting


def open_connection():
    return mysql.connector.connect(
        host="ledger-db", user="report", password="report", database="ledger"
    )


def postings_since(day: date) -> Iterator[Posting]:
    cnx = open_connection()
    try:
        cursor = cnx.cursor(dictionary=True)
        cursor.execute(
            "SELECT id, account, amount, booked_on FROM postings WHERE booked_on >= %s",
            (day,),
        )
        yield from (Posting(**record) for record in cursor.fetchall())
        cursor.close()
    finally:
        cnx.close()
