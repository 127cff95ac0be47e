from confluent_kafka import Consumer


class Collector:
    def __init__(self, conf, db):
        self.consumer = Consumer(conf)
        self.db = db

    def drain(self):
        by_key = {}
        while True:
            msg = self.consumer.poll(1.0)
            if msg is None:
                break
            by_key[msg.key()] = msg.value()
        self.db.insert_many(by_key.items())
