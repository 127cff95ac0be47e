import pandas as pd


def customer_ids(path):
    ids = {cid for chunk in pd.read_csv(path, chunksize=50_000) for cid in chunk["customer_id"]}
    rows = [r for chunk in pd.read_csv(path, chunksize=50_000) for r in chunk.itertuples()]
    return ids, rows
