"""Messy orders, one at a time, into record batches: what is not named never passes, what is wrong is told, 24 MiB are enough.

Run: python docs/examples/build_batches.py [COUNT]
"""

import sys
from collections.abc import Iterator

import msgspec

import flatwater as fw
from flatwater.build import BatchBuilder, InvalidError, pick


class Order(msgspec.Struct):
    """A row of the table."""

    id: int
    customer: str
    prices: list[float]


def orders(count: int) -> Iterator[dict[str, object]]:
    """As another service sends them; every thousandth is broken."""
    for number in range(count):
        broken = number % 1_000 == 999
        yield {
            "id": str(number) if broken else number,
            "customer": {"name": f"customer {number % 100}", "card": "4111 1111 1111 1111"},
            "items": [{"price": None if broken else 1.5, "margin": 0.4}, {"price": 2.5, "margin": 0.1}],
        }


def main(count: int) -> None:
    """Pick, check, gather, hand over."""
    take = pick(["id", "customer.name", "items[].price"])
    batches = rows = 0
    refused: list[str] = []

    def sink(batch: object) -> None:
        nonlocal batches, rows
        batches += 1
        rows += batch.num_rows

    with (
        fw.Budget("24 MiB", name="orders") as budget,
        BatchBuilder(Order, sink, batch_bytes="2 MiB", validate=True) as table,
    ):
        for order in orders(count):
            found = take(order)
            try:
                table.append(
                    id=found["id"],
                    customer=found["customer"]["name"],
                    prices=[each["price"] for each in found["items"]],
                )
            except InvalidError as error:
                if len(refused) < 3:
                    refused.append(str(error))
        print(budget.explain())
    print(f"{rows:,} rows in {batches} batches")
    for line in refused:
        print(line)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
