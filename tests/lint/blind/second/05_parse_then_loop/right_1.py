import pandas as pd
from sqlalchemy import create_engine

engine = create_engine("postgresql://etl@warehouse/dwh")


def load_postings(csv_path: str) -> int:
    loaded = 0
    with pd.read_csv(csv_path, chunksize=20_000) as reader:
        for frame in reader:
            frame.to_sql("postings", engine, if_exists="append", index=False)
            loaded += len(frame)
    return loaded
