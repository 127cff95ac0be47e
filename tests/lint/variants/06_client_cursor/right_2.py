import pymysql
from pymysql.cursors import SSCursor


def dump(cfg, handler):
    db = pymysql.connect(cursorclass=SSCursor, **cfg)
    with db.cursor() as cursor:
        cursor.execute("SELECT id, total FROM orders")
        for row in cursor:
            handler(row)
