from functools import lru_cache

import boto3
from sqlalchemy import create_engine


@lru_cache(maxsize=1)
def engine():
    return create_engine("postgresql:///app")


class Archiver:
    def __init__(self):
        self.s3 = boto3.client("s3")

    def store(self, key, data):
        self.s3.put_object(Bucket="b", Key=key, Body=data)
