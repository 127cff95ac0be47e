import sqlite3
from concurrent.futures import ThreadPoolExecutor, as_completed

from shop.images import fetch_image


def fetch_product_images(conn: sqlite3.Connection) -> int:
    stored = 0
    with ThreadPoolExecutor(max_workers=16) as executor:
        jobs = [
            executor.submit(fetch_image, sku, url)
            for sku, url in conn.execute("SELECT sku, image_url FROM products")
        ]
        for job in as_completed(jobs):
            stored += bool(job.result())
    return stored
