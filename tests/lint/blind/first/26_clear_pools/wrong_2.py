import flatwater as fw
import pyarrow.parquet as pq

from telemetry.sink import Sink


def load(path: str, sink: Sink) -> None:
    for batch in pq.ParquetFile(path).iter_batches(batch_size=10_000):
        sink.write(batch)
        fw.clear_pools()
