import pandas as pd
import pyarrow.parquet as pq


def preview(csv_path: str) -> None:
    head = pd.read_csv(csv_path, nrows=20)
    for row in head.itertuples():
        print(row)


def forward(parquet_path: str, publish) -> int:
    sent = 0
    pf = pq.ParquetFile(parquet_path)
    for batch in pf.iter_batches(batch_size=1000):
        for record in batch.to_pylist():
            publish(record)
            sent += 1
    return sent
