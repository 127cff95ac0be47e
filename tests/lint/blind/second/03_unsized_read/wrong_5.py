import zipfile

import anyio

from transit.store import StopTimeStore


async def import_feed(feed_path: str, store: StopTimeStore) -> None:
    with zipfile.ZipFile(feed_path) as feed:
        blob = feed.read("stop_times.txt")
    header, *rows = blob.decode("utf-8-sig").split("\n")
    columns = header.strip().split(",")
    for row in rows:
        if not row:
            continue
        values = dict(zip(columns, row.strip().split(",")))
        await store.put(values["trip_id"], int(values["stop_sequence"]), values)


def main():
    anyio.run(import_feed, "/srv/gtfs/latest.zip", StopTimeStore())
