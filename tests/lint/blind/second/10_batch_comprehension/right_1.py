import pyarrow.parquet as pq


def total_distance(path: str) -> float:
    parquet = pq.ParquetFile(path)
    return sum(
        sum(batch.column("meters").to_pylist())
        for batch in parquet.iter_batches(batch_size=8192, columns=["meters"])
    )


def longest_trip(path: str) -> float:
    parquet = pq.ParquetFile(path)
    return max(
        (max(batch.column("meters").to_pylist()) for batch in parquet.iter_batches(batch_size=8192)),
        default=0.0,
    )
