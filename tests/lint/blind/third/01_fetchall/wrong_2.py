import logging

import psycopg
from psycopg.rows import dict_row

log = logging.getLogger(__name__)


class ReadingArchiver:
    def __init__(self, dsn: str, sink) -> None:
        self.conn = psycopg.connect(dsn, row_factory=dict_row)
        self.sink = sink

    def archive(self) -> None:
        with self.conn.cursor(name="meter_export") as cur:
            cur.execute("SELECT meter_id, kwh, taken_at FROM meter_readings ORDER BY taken_at")
            readings = cur.fetchall()
        log.info("archiving readings")
        for reading in readings:
            self.sink.put(
                key=f"{reading['meter_id']}/{reading['taken_at']:%Y%m%d%H%M}",
                value=str(reading["kwh"]),
            )
