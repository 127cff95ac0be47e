import os

import mysql.connector
from kafka import KafkaProducer


def get_connection():
    return mysql.connector.connect(
        host=os.environ["SHOP_DB_HOST"],
        user=os.environ["SHOP_DB_USER"],
        password=os.environ["SHOP_DB_PASSWORD"],
        database="shop",
    )


def republish_stock_movements(producer: KafkaProducer) -> None:
    connection = get_connection()
    cursor = connection.cursor(dictionary=True)
    cursor.execute("SELECT sku, warehouse, delta, moved_at FROM stock_movements")
    movements = [
        {**m, "moved_at": m["moved_at"].isoformat()} for m in cursor.fetchall()
    ]
    for movement in movements:
        producer.send("stock-movements", movement)
    producer.flush()
    cursor.close()
    connection.close()
