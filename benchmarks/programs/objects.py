"""A program that allocates: rows as dictionaries, encoded, kept in a window and thrown away. All of it is Python objects."""

from __future__ import annotations

import collections
import json
import sys

WINDOW_ROWS = 50_000  # about 25 MiB are live once it is full


def main(rows: int) -> None:
    window: collections.deque[dict[str, object]] = collections.deque(maxlen=WINDOW_ROWS)
    totals: dict[str, int] = {}
    for number in range(rows):
        customer = f"customer {number % 977}"
        row = {"id": number, "customer": customer, "tags": [number, number % 7], "cents": number * 3}
        window.append(row)
        totals[customer] = totals.get(customer, 0) + len(json.dumps(row))
    print(len(window), sum(totals.values()))


if __name__ == "__main__":
    main(int(sys.argv[1]))
