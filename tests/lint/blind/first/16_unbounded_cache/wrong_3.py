from functools import cache

import psycopg


@cache
def customer_name(dsn: str, customer_id: int) -> str | None:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            "SELECT name FROM customers WHERE id = %s", (customer_id,)
        ).fetchone()
    return row[0] if row else None


def label_orders(dsn: str, orders) -> None:
    for order in orders:
        print(order.number, customer_name(dsn, order.customer_id))
