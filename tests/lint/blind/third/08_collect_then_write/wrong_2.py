import pyarrow as pa
import pyarrow.parquet as pq


class TripConverter:
    def __init__(self, min_distance: float = 0.2) -> None:
        self.min_distance = min_distance

    def convert(self, source: str, target: str) -> None:
        pf = pq.ParquetFile(source)
        kept: list[dict] = []
        for batch in pf.iter_batches(batch_size=10_000):
            for trip in batch.to_pylist():
                if trip["distance"] >= self.min_distance:
                    trip["speed"] = trip["distance"] / max(trip["hours"], 1e-6)
                    kept.append(trip)
        pq.write_table(pa.Table.from_pylist(kept), target)
