import pymysql
from pymysql.cursors import DictCursor


def sync_clicks(settings, publisher):
    db = pymysql.connect(host=settings.host, user=settings.user, database="tracking", cursorclass=DictCursor)
    try:
        with db.cursor() as c:
            sql = "SELECT * FROM clicks WHERE created_at >= %s"
            c.execute(sql, (settings.since,))
            result = c.fetchall()
        for r in result:
            publisher.send(r["visitor"], r["url"])
    finally:
        db.close()
