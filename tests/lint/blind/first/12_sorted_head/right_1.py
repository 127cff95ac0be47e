import csv
import heapq


def biggest_payments(statement: str, k: int = 10) -> list[dict]:
    with open(statement, newline="") as handle:
        return heapq.nlargest(k, csv.DictReader(handle), key=lambda p: float(p["amount"]))
