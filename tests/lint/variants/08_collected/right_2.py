import csv


def totals_per_weekday(path):
    totals = {}
    with open(path, newline="") as fh:
        for rec in csv.DictReader(fh):
            day = int(rec["weekday"]) % 7
            totals[day] = totals.get(day, 0) + float(rec["amount"])
    return totals
