import csv

import requests


def export_customers(session: requests.Session, url: str, target: str) -> None:
    with open(target, "w", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=["id", "email"])
        writer.writeheader()
        while url:
            answer = session.get(url, timeout=30).json()
            writer.writerows(answer["results"])
            url = answer.get("next")
