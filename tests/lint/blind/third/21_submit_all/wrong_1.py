import csv
from concurrent.futures import ThreadPoolExecutor, as_completed

import requests


def verify(row: dict) -> tuple[str, bool]:
    resp = requests.get("https://iban.example/check", params={"iban": row["iban"]}, timeout=10)
    return row["iban"], resp.json()["valid"]


def verify_file(path: str) -> None:
    with open(path, newline="") as fp, ThreadPoolExecutor(max_workers=16) as pool:
        futures = [pool.submit(verify, row) for row in csv.DictReader(fp)]
        for future in as_completed(futures):
            iban, valid = future.result()
            print(iban, "ok" if valid else "INVALID")
