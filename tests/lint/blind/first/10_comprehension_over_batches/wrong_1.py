import pyarrow.dataset as ds
import pyarrow.compute as pc


def mean_speed(folder: str) -> float:
    dataset = ds.dataset(folder, format="parquet", partitioning="hive")
    batches = [batch for batch in dataset.to_batches(columns=["speed"])]
    total = sum(pc.sum(batch["speed"]).as_py() or 0 for batch in batches)
    count = sum(batch.num_rows for batch in batches)
    return total / count
