import pyarrow.parquet as pq


def load_clicks(path: str, campaign: str) -> list[dict]:
    source = pq.ParquetFile(path)
    return [
        click
        for batch in source.iter_batches(columns=["campaign", "url", "ts"])
        for click in batch.to_pylist()
        if click["campaign"] == campaign
    ]


def write_urls(path: str, campaign: str, out) -> None:
    for click in load_clicks(path, campaign):
        out.write(click["url"] + "\n")
