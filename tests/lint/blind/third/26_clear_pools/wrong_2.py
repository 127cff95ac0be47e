import pyarrow.parquet as pq
from flatwater import clear_pools

from energy.transform import to_quarter_hours


def convert(source: str, target: str) -> None:
    reader = pq.ParquetFile(source)
    with pq.ParquetWriter(target, reader.schema_arrow) as writer:
        for batch in reader.iter_batches(batch_size=20_000):
            writer.write_batch(to_quarter_hours(batch))
            clear_pools()
