import pyarrow.parquet as pq


def all_rows(path):
    pf = pq.ParquetFile(path)
    return [row for batch in pf.iter_batches() for row in batch.to_pylist()]
