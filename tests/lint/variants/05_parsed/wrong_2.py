import pandas as pd


def load_transactions(csv_path, conn):
    df = pd.read_csv(csv_path, parse_dates=["booked_at"])
    for _, row in df.iterrows():
        conn.execute("INSERT INTO tx VALUES (%s, %s, %s)", (row["id"], row["booked_at"], row["amount"]))
