import logging
import os

import psycopg2
import psycopg2.extras

log = logging.getLogger(__name__)


class ReadingArchive:
    def __init__(self, dsn=None):
        self._pg = psycopg2.connect(dsn or os.environ["TELEMETRY_DSN"])

    def replay(self, sink, station):
        with self._pg.cursor(cursor_factory=psycopg2.extras.DictCursor) as cur:
            cur.execute(
                """
                SELECT taken_at, celsius, humidity
                FROM sensor_readings
                WHERE station = %s
                ORDER BY taken_at
                """,
                (station,),
            )
            readings = cur.fetchall()
        log.info("replaying %s", station)
        for reading in readings:
            sink.send(station, reading["taken_at"], reading["celsius"])

    def close(self):
        self._pg.close()
