import sqlite3
from contextlib import closing


def top_sellers(db_path: str, shop_id: int) -> list[tuple[str, int]]:
    sql = """
        SELECT sku, SUM(quantity) AS sold
        FROM order_lines
        WHERE shop_id = ?
        GROUP BY sku
        ORDER BY sold DESC
        LIMIT 20
    """
    with closing(sqlite3.connect(db_path)) as conn:
        best = conn.execute(sql, (shop_id,)).fetchall()
    report = []
    for sku, sold in best:
        report.append((sku.upper(), sold))
    return report
