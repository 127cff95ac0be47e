import boto3
import httpx
import requests
from redis import Redis
from sqlalchemy import create_engine, text


def one(url, name):
    engine = create_engine(url)  # FW501
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": name})


def two(rows, url):
    for row in rows:
        engine = create_engine(url)  # FW501
        engine.connect().execute(row)


async def three(request):
    async with httpx.AsyncClient() as client:  # FW501
        return await client.get(request.url)


def four(keys):
    for key in keys:
        boto3.client("s3").delete_object(Bucket="a", Key=key)  # FW501


def five(messages):
    for message in messages:
        Redis(host="a").publish("b", message)  # FW501
