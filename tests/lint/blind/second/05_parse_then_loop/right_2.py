import json
from pathlib import Path

import pyarrow.parquet as pq

SETTINGS = Path(__file__).with_name("settings.json")


def load_settings() -> dict:
    with SETTINGS.open() as fh:
        return json.load(fh)


def total_energy(path: str) -> float:
    total = 0.0
    parquet = pq.ParquetFile(path)
    for batch in parquet.iter_batches(batch_size=10_000, columns=["kwh"]):
        total += sum(batch.column("kwh").to_pylist())
    return total + load_settings()["offset"]
