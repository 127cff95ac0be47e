import pandas as pd
import pyarrow.parquet as pq


def row_count(path: str) -> int:
    return sum(batch.num_rows for batch in pq.ParquetFile(path).iter_batches())


def highest_bid(csv_path: str) -> float:
    return max(
        chunk["bid"].max() for chunk in pd.read_csv(csv_path, chunksize=100_000)
    )


def schema_names(path: str) -> list[str]:
    return [field.name for field in pq.ParquetFile(path).schema_arrow]
