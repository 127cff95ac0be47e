import json

import flatwater as fw
import pika


class Consumer:
    def __init__(self, url: str, handler) -> None:
        self.connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self.connection.channel()
        self.channel.basic_qos(prefetch_count=20)
        self.handler = handler

    def on_message(self, channel, method, properties, body: bytes) -> None:
        self.handler(json.loads(body))
        channel.basic_ack(method.delivery_tag)
        self._tidy()

    def _tidy(self) -> None:
        fw.clear_pools()

    def run(self, queue: str) -> None:
        self.channel.basic_consume(queue, self.on_message)
        self.channel.start_consuming()
