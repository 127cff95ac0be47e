import csv
from operator import itemgetter


def most_expensive_claims(path: str, n: int = 10) -> list[dict]:
    with open(path, newline="", encoding="utf-8") as fp:
        claims = (
            {"claim": row["claim_id"], "amount": float(row["amount"])}
            for row in csv.DictReader(fp)
        )
        return sorted(claims, key=itemgetter("amount"), reverse=True)[:n]


def print_report(path: str) -> None:
    for rank, claim in enumerate(most_expensive_claims(path), start=1):
        print(f"{rank:2} {claim['claim']:12} {claim['amount']:>12.2f}")
