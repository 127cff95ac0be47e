import csv


def biggest_payments(statement: str, k: int = 10) -> list[dict]:
    with open(statement, newline="") as handle:
        reader = csv.DictReader(handle)
        return sorted(reader, key=lambda p: float(p["amount"]), reverse=True)[:k]
