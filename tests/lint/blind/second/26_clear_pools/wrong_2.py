import csv

from flatwater import clear_pools

from warehouse.load import insert_batch

BATCH = 5000


def load(path: str) -> None:
    batch = []
    with open(path, newline="") as fh:
        for row in csv.reader(fh):
            batch.append(row)
            if len(batch) == BATCH:
                insert_batch(batch)
                batch.clear()
                clear_pools()
    if batch:
        insert_batch(batch)
