import collections
import threading
import time

import paho.mqtt.client as mqtt

from plant.historian import write_sample


class Bridge:
    def __init__(self, broker: str) -> None:
        self.pending = collections.deque()
        self.client = mqtt.Client()
        self.client.on_message = self.on_message
        self.client.connect(broker)

    def on_message(self, client, userdata, message) -> None:
        self.pending.append((message.topic, message.payload))

    def drain(self) -> None:
        while True:
            if not self.pending:
                time.sleep(0.05)
                continue
            topic, payload = self.pending.popleft()
            write_sample(topic, payload)

    def start(self) -> None:
        threading.Thread(target=self.drain, daemon=True).start()
        self.client.loop_forever()
