import json
from collections import defaultdict

from confluent_kafka import Consumer

last_positions = defaultdict(list)


def consume(config: dict) -> None:
    consumer = Consumer(config)
    consumer.subscribe(["vehicle-positions"])
    while True:
        msg = consumer.poll(1.0)
        if msg is None or msg.error():
            continue
        event = json.loads(msg.value())
        last_positions[event["vehicle"]].append((event["lat"], event["lon"]))


def current_position(vehicle: str):
    return last_positions[vehicle][-1]
