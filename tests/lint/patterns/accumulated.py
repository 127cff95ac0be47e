import csv

import flatwater as fw
import pandas as pd
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from .tables import Item


def one(path, save):
    rows = []
    for batch in pq.ParquetFile(path).iter_batches():
        for row in batch.to_pylist():
            rows.append(row)  # FW201
    save(rows)


def two(store, path):
    changed = {}
    for file in fw.records(path):
        changed[file["path"]] = file  # FW201
    for name, file in changed.items():
        store.put(name, file)


def three(path):
    parts = []
    for chunk in pd.read_csv(path, chunksize=10_000):
        parts.append(chunk[chunk.kind == "a"])  # FW201
    return pd.concat(parts)


def four(path):
    seen = []
    with open(path) as file:
        for record in csv.DictReader(file):
            seen.append(record)  # FW201
    print(len(seen))


def five(session: Session, client):
    payload = []
    for item in session.scalars(select(Item)).yield_per(1_000):
        payload += [item.as_dict()]  # FW201
    client.send(payload)
