import csv


def delayed_departures(path: str, minutes: int) -> int:
    with open(path, newline="") as fp:
        reader = csv.DictReader(fp)
        return sum(1 for row in reader if int(row["delay"] or 0) > minutes)


def daily_totals(path: str) -> dict[str, float]:
    totals = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), 0.0)
    with open(path, newline="") as fp:
        for row in csv.DictReader(fp):
            totals[row["weekday"]] += float(row["fare"])
    return totals
