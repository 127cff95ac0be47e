import json

import boto3
import httpx
import pika


def forward(channel, method, properties, body) -> None:
    client = httpx.Client(timeout=10)
    response = client.post("https://erp.example/orders", json=json.loads(body))
    if response.is_success:
        channel.basic_ack(method.delivery_tag)


def archive(keys: list[str]) -> None:
    for key in keys:
        s3 = boto3.session.Session().client("s3")
        s3.copy_object(
            Bucket="orders-archive",
            Key=key,
            CopySource={"Bucket": "orders", "Key": key},
        )


def main() -> None:
    connection = pika.BlockingConnection(pika.ConnectionParameters("mq"))
    channel = connection.channel()
    channel.basic_consume("orders", forward)
    channel.start_consuming()
