import polars as pl
import pyarrow.dataset as ds


def suspicious_transfers(root: str, threshold: float) -> pl.DataFrame:
    dataset = ds.dataset(root, format="parquet")
    found = None
    for batch in dataset.to_batches(batch_size=65_536):
        frame = pl.from_arrow(batch).filter(pl.col("amount") > threshold)
        if found is None:
            found = frame
        else:
            found = found.vstack(frame)
    return found if found is not None else pl.DataFrame()
