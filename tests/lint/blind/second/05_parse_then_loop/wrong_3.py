import pyarrow.parquet as pq
from kafka import KafkaProducer

from telemetry.codec import encode


class ParquetReplayer:
    def __init__(self, brokers: list[str], topic: str):
        self.producer = KafkaProducer(bootstrap_servers=brokers, value_serializer=encode)
        self.topic = topic

    def replay(self, path: str) -> None:
        table = pq.read_table(path, columns=["vin", "ts", "speed", "soc"])
        for row in table.to_pylist():
            self.producer.send(self.topic, row)
        self.producer.flush()
