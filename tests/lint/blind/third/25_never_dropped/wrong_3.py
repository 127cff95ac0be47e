import json
from concurrent.futures import Future, ThreadPoolExecutor

from kafka import KafkaConsumer

from fraud.rules import score_payment


class FraudWorker:
    def __init__(self, servers: list[str]) -> None:
        self.consumer = KafkaConsumer("payments", bootstrap_servers=servers)
        self.pool = ThreadPoolExecutor(max_workers=8)
        self.futures: list[Future] = []

    def run(self) -> None:
        for message in self.consumer:
            payment = json.loads(message.value)
            future = self.pool.submit(score_payment, payment)
            self.futures.append(future)

    def stop(self) -> None:
        self.consumer.close()
        self.pool.shutdown(wait=True)
