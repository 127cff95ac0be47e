import pandas as pd


def clean(chunk: pd.DataFrame) -> pd.DataFrame:
    chunk = chunk.dropna(subset=["price"])
    return chunk[chunk["price"] > 0]


def clean_listings(source: str, target: str) -> None:
    reader = pd.read_csv(source, chunksize=50_000)
    cleaned = [clean(chunk) for chunk in reader]
    header = True
    for part in cleaned:
        part.to_csv(target, mode="w" if header else "a", header=header, index=False)
        header = False
