import psycopg2
import psycopg2.extras

QUERY = """
    SELECT o.id, o.customer_id, l.sku, l.qty
    FROM orders o JOIN order_lines l ON l.order_id = o.id
"""


def load_order_lines(conn):
    with conn.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute(QUERY)
        return cursor.fetchall()


def main(dsn, target):
    conn = psycopg2.connect(dsn)
    for line in load_order_lines(conn):
        target.write(line)
