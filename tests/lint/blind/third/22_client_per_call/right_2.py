import argparse
import os

import requests
from sqlalchemy import create_engine, text

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite://"))


def count_jobs() -> int:
    with engine.connect() as conn:
        return conn.execute(text("SELECT count(*) FROM jobs")).scalar_one()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("urls", nargs="+")
    args = parser.parse_args()
    with requests.Session() as session:
        for url in args.urls:
            print(url, session.get(url, timeout=10).status_code)
    print(count_jobs())


if __name__ == "__main__":
    main()
