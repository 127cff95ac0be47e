import json
from collections import defaultdict

import pika

trips_by_driver = defaultdict(list)


def on_trip(channel, method, properties, body):
    trip = json.loads(body)
    trips_by_driver[trip["driver_id"]].append(trip)
    channel.basic_ack(method.delivery_tag)


def consume():
    connection = pika.BlockingConnection(pika.ConnectionParameters("rabbit"))
    channel = connection.channel()
    channel.basic_consume("trips", on_trip)
    channel.start_consuming()
