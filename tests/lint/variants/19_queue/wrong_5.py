from queue import SimpleQueue
from threading import Thread

import paho.mqtt.client as mqtt


class Bridge:
    def __init__(self, writer):
        self.inbox = SimpleQueue()
        self.writer = writer
        self.client = mqtt.Client()
        self.client.on_message = self._on_message

    def _on_message(self, client, userdata, msg):
        self.inbox.put(msg.payload)

    def start(self):
        Thread(target=self._drain, daemon=True).start()

    def _drain(self):
        while True:
            self.writer.write(self.inbox.get())
