import json
import logging

from kafka import KafkaConsumer

log = logging.getLogger(__name__)
_processed = set()


def consume(topic: str) -> None:
    consumer = KafkaConsumer(topic, bootstrap_servers="kafka:9092")
    for message in consumer:
        event = json.loads(message.value)
        if event["event_id"] in _processed:
            log.debug("duplicate %s", event["event_id"])
            continue
        book(event)
        _processed.add(event["event_id"])


def book(event: dict) -> None:
    log.info("booked %s", event["amount"])
