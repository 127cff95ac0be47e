import pandas as pd


def aggregate(source: str) -> pd.Series:
    total = pd.Series(dtype="float64")
    for chunk in pd.read_csv(source, chunksize=100_000, usecols=["country", "net"]):
        total = total.add(chunk.groupby("country")["net"].sum(), fill_value=0)
    return total
