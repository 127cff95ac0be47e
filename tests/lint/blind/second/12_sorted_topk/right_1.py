import csv
import heapq


def strongest_quakes(catalogue: str, n: int = 10) -> list[tuple[float, str]]:
    with open(catalogue, newline="") as fh:
        return heapq.nlargest(
            n,
            ((float(row["magnitude"]), row["place"]) for row in csv.DictReader(fh)),
        )


def weakest_quakes(catalogue: str, n: int = 10) -> list[tuple[float, str]]:
    with open(catalogue, newline="") as fh:
        return heapq.nsmallest(n, ((float(r["magnitude"]), r["place"]) for r in csv.DictReader(fh)))
