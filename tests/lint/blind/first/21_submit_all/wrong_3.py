import concurrent.futures as cf

from kafka import KafkaConsumer

from fraud.rules import score


class Screening:
    def __init__(self, brokers: str) -> None:
        self.consumer = KafkaConsumer("payments", bootstrap_servers=brokers)
        self.executor = cf.ThreadPoolExecutor(max_workers=8)

    def run(self) -> None:
        for message in self.consumer:
            self.executor.submit(score, message.value)
