import os

import pymysql

_ADDRESSES = None


def addresses():
    global _ADDRESSES
    if _ADDRESSES is None:
        db = pymysql.connect(host=os.environ["DB_HOST"], database="geo")
        with db.cursor() as cur:
            cur.execute("SELECT street, house, lon, lat FROM addresses")
            _ADDRESSES = cur.fetchall()
        db.close()
    return _ADDRESSES


def nearest(lon: float, lat: float):
    return min(addresses(), key=lambda a: (a[2] - lon) ** 2 + (a[3] - lat) ** 2)
