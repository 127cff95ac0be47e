import pyarrow.parquet as pq


def load_trips(path: str) -> list[dict]:
    parquet = pq.ParquetFile(path)
    return [
        {"start": row["start"], "end": row["end"], "km": row["meters"] / 1000}
        for batch in parquet.iter_batches(batch_size=5000)
        for row in batch.to_pylist()
    ]


def average_km(path: str) -> float:
    trips = load_trips(path)
    return sum(trip["km"] for trip in trips) / max(len(trips), 1)
