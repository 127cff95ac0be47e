import json

import flatwater
from confluent_kafka import Consumer

from shipping.routes import plan_route


class RoutePlanner:
    def __init__(self, config: dict) -> None:
        self.consumer = Consumer(config)
        self.consumer.subscribe(["shipments"])

    def run(self) -> None:
        while True:
            msg = self.consumer.poll(1.0)
            if msg is None or msg.error():
                continue
            self.process(json.loads(msg.value()))

    def process(self, shipment: dict) -> None:
        try:
            plan_route(shipment)
        finally:
            flatwater.clear_pools()
