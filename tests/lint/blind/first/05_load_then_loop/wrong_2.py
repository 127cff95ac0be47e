import pandas as pd
from sqlalchemy import create_engine, text


def load_transactions(csv_path: str, url: str) -> None:
    engine = create_engine(url)
    frame = pd.read_csv(csv_path, parse_dates=["booked_at"])
    with engine.begin() as conn:
        for row in frame.itertuples(index=False):
            conn.execute(
                text("INSERT INTO transactions (iban, amount, booked_at) VALUES (:i, :a, :b)"),
                {"i": row.iban, "a": row.amount, "b": row.booked_at},
            )
