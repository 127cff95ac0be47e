import polars as pl
from sqlalchemy import Engine, insert

from claims.tables import claims


def normalise(row: dict) -> dict:
    row["diagnosis"] = row["diagnosis"].upper().strip()
    row["amount"] = round(row["amount"], 2)
    return row


def ingest_claims(source: str, engine: Engine) -> None:
    frame = pl.read_parquet(source)
    with engine.begin() as connection:
        for row in frame.iter_rows(named=True):
            connection.execute(insert(claims), normalise(row))
