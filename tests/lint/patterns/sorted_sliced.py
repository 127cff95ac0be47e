import sqlite3


def one(path):
    with open(path) as file:
        return sorted(file)[:10]  # FW203


def two(rows):
    return sorted(rows, key=lambda row: row.score, reverse=True)[:100]  # FW203


def three(scores: dict[str, float], k: int):
    return sorted(scores.items(), key=lambda item: item[1])[:k]  # FW203


def four(path):
    ranked = sorted(sqlite3.connect(path).execute("SELECT a, b FROM t"))  # FW203
    return ranked[:5]


def five(items):
    return sorted(items)[0]  # FW203
