import pymysql

from warehouse.sink import Sink


class ShipmentExtractor:
    BATCH = 2000

    def __init__(self, host: str, user: str, password: str):
        self.db = pymysql.connect(host=host, user=user, password=password, database="wms")

    def extract(self, sink: Sink) -> None:
        cursor = self.db.cursor()
        cursor.execute("SELECT id, carrier, weight, shipped_at FROM shipments")
        while True:
            chunk = cursor.fetchmany(self.BATCH)
            if not chunk:
                break
            sink.write_many(chunk)
        cursor.close()
