import pyarrow as pa
import pyarrow.parquet as pq


def convert_units(source: str, target: str) -> None:
    reader = pq.ParquetFile(source)
    batches = []
    for batch in reader.iter_batches(batch_size=64_000):
        celsius = pa.compute.divide(pa.compute.subtract(batch["fahrenheit"], 32.0), 1.8)
        batches.append(
            pa.record_batch([batch["station"], celsius], names=["station", "celsius"])
        )
    pq.write_table(pa.Table.from_batches(batches), target)
