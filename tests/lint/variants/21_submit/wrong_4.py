from concurrent.futures import ThreadPoolExecutor

from kafka import KafkaConsumer


def consume(topic, handler):
    consumer = KafkaConsumer(topic)
    with ThreadPoolExecutor(max_workers=16) as ex:
        for message in consumer:
            ex.submit(handler, message.value)
