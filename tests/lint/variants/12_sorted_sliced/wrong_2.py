import csv


def slowest_requests(path, n):
    with open(path, newline="") as fh:
        rows = sorted(csv.DictReader(fh), key=lambda r: float(r["duration"]), reverse=True)
    return rows[:n]
