import csv
from pathlib import Path


def share_of_night_trips(trips_csv: Path) -> float:
    with trips_csv.open(newline="") as handle:
        reader = csv.DictReader(handle)
        hours = [int(trip["started_at"][11:13]) for trip in reader]
    total = len(hours)
    return sum(1 for h in hours if h < 6) / total if total else 0.0


def report(folder: Path) -> None:
    for trips_csv in sorted(folder.glob("trips-2024-*.csv")):
        print(trips_csv.name, f"{share_of_night_trips(trips_csv):.1%}")
