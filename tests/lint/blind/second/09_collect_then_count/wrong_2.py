import json

from confluent_kafka import Consumer


class RevenueMeter:
    def __init__(self, brokers: str) -> None:
        self.consumer = Consumer(
            {"bootstrap.servers": brokers, "group.id": "revenue", "auto.offset.reset": "earliest"}
        )
        self.consumer.subscribe(["sales"])

    def measure(self, idle: float = 5.0) -> float:
        amounts = []
        while True:
            message = self.consumer.poll(idle)
            if message is None:
                break
            if message.error():
                continue
            amounts.append(json.loads(message.value())["amount"])
        return sum(amounts)
