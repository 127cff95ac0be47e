import psycopg

from warehouse.parquet import ParquetSink

DSN = "postgresql://etl@oltp/orders"


def copy_orders(sink: ParquetSink) -> None:
    with psycopg.connect(DSN) as conn:
        with conn.cursor() as cur:
            cur.execute("SELECT id, customer_id, total, placed_at FROM orders")
            for order in cur:
                sink.append(order)
    sink.close()
