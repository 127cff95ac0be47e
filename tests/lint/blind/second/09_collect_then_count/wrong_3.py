import csv
import gzip


def mean_quality(path: str) -> float:
    qualities = []
    with gzip.open(path, "rt") as fh:
        for row in csv.DictReader(fh, delimiter="\t"):
            qualities.append(float(row["quality"]))
    if not qualities:
        return 0.0
    return sum(qualities) / len(qualities)


def passes(path: str, threshold: float = 20.0) -> bool:
    return mean_quality(path) >= threshold
