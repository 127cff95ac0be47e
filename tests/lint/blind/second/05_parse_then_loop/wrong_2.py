import pandas as pd
import psycopg


def import_claims(csv_path, dsn):
    claims = pd.read_csv(csv_path, dtype={"policy": str, "icd": str})
    with psycopg.connect(dsn) as conn, conn.cursor() as cur:
        for row in claims.itertuples(index=False):
            cur.execute(
                "INSERT INTO claims (policy, icd, amount) VALUES (%s, %s, %s)",
                (row.policy, row.icd, row.amount),
            )


def main():
    import sys

    import_claims(sys.argv[1], "dbname=claims")


if __name__ == "__main__":
    main()
