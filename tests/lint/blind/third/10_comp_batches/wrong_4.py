import sqlite3
from functools import partial


def fetch_batches(cur: sqlite3.Cursor, size: int = 1000):
    yield from iter(partial(cur.fetchmany, size), [])


def publish_tiles(mbtiles: str, upload) -> None:
    conn = sqlite3.connect(mbtiles)
    cur = conn.execute("SELECT zoom_level, tile_column, tile_row, tile_data FROM tiles")
    tiles = {
        (z, x, y): data for batch in fetch_batches(cur) for z, x, y, data in batch
    }
    for (z, x, y), data in tiles.items():
        upload(f"{z}/{x}/{y}.pbf", data)
    conn.close()
