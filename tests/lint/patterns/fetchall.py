import sqlite3

import psycopg
import pymysql
from sqlalchemy import create_engine, text


def one(path):
    connection = sqlite3.connect(path)
    for row in connection.execute("SELECT * FROM visits").fetchall():  # FW101
        print(row)


def two(dsn):
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, name FROM people ORDER BY id")
        rows = cursor.fetchall()  # FW101
    return [name.upper() for _id, name in rows]


class Repository:
    def __init__(self, **options):
        self.connection = pymysql.connect(**options)

    def three(self):
        cursor = self.connection.cursor()
        cursor.execute("SELECT * FROM orders")
        return {row[0]: row for row in cursor.fetchall()}  # FW101


def four(url):
    engine = create_engine(url)
    with engine.connect() as connection:
        result = connection.execute(text("SELECT * FROM events"))
        for event in result.fetchall():  # FW101
            print(event)


async def five(pool):
    import asyncpg

    connection = await asyncpg.connect("postgresql://")
    for record in await connection.fetch("SELECT * FROM messages"):  # FW101
        print(record)
