import pyarrow.dataset as ds
import pyarrow.compute as pc


def total_distance(folder: str) -> float:
    dataset = ds.dataset(folder, format="parquet")
    return sum(pc.sum(b["km"]).as_py() or 0 for b in dataset.to_batches(columns=["km"]))
