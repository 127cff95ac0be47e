import MySQLdb
from kafka import KafkaProducer


def backfill(topic: str, brokers: list[str]) -> int:
    producer = KafkaProducer(bootstrap_servers=brokers)
    db = MySQLdb.connect(host="replica", db="chat", read_default_file="~/.my.cnf")
    cur = db.cursor()
    cur.execute("SELECT room_id, body FROM messages")
    sent = 0
    for room_id, body in cur:
        producer.send(topic, key=str(room_id).encode(), value=body.encode())
        sent += 1
    producer.flush()
    cur.close()
    db.close()
    return sent
