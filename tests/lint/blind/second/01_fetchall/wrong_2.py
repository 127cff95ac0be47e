import os

import psycopg2
import psycopg2.extras

from shop.pricing import reprice

DSN = os.environ["SHOP_DSN"]


def reprice_catalogue(factor):
    conn = psycopg2.connect(DSN)
    changed = 0
    with conn, conn.cursor(cursor_factory=psycopg2.extras.DictCursor) as cur:
        cur.execute("SELECT sku, list_price, currency FROM products")
        for product in cur.fetchall():
            new_price = reprice(product["list_price"], product["currency"], factor)
            if new_price != product["list_price"]:
                cur.execute(
                    "UPDATE products SET list_price = %s WHERE sku = %s",
                    (new_price, product["sku"]),
                )
                changed += 1
    conn.close()
    return changed
