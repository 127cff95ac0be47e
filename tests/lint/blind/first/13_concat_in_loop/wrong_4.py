import pandas as pd
from sqlalchemy import create_engine


def read_clicks(url: str, query: str):
    engine = create_engine(url)
    result = None
    for chunk in pd.read_sql(query, engine, chunksize=20_000):
        chunk["day"] = chunk["clicked_at"].dt.date
        if result is None:
            result = chunk
        else:
            result = pd.concat((result, chunk), axis=0)
    return result
