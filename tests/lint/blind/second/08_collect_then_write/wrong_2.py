import pandas as pd


def enrich_transactions(src: str, dst: str, rates: dict[str, float]) -> None:
    """Adds the amount in euro and drops refunds."""
    parts = []
    for chunk in pd.read_csv(src, chunksize=50_000):
        chunk["amount_eur"] = chunk["amount"] * chunk["currency"].map(rates)
        chunk = chunk[chunk["amount_eur"] > 0]
        parts.append(chunk)
    result = pd.concat(parts, ignore_index=True)
    result.to_parquet(dst, index=False)
