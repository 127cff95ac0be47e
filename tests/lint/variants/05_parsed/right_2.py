import pandas as pd


def load_transactions(csv_path, conn):
    for chunk in pd.read_csv(csv_path, chunksize=10_000):
        for row in chunk.itertuples(index=False):
            conn.execute("INSERT INTO tx VALUES (%s, %s)", tuple(row))
