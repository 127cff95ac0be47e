import boto3
import redis


def drop_prefix(client: redis.Redis, prefix: str) -> None:
    for key in client.scan_iter(match=prefix + "*", count=500):
        client.unlink(key)


def first_objects(bucket: str) -> list[str]:
    s3 = boto3.client("s3")
    paginator = s3.get_paginator("list_objects_v2")
    pages = paginator.paginate(Bucket=bucket, PaginationConfig={"MaxItems": 50})
    return [obj["Key"] for page in list(pages) for obj in page.get("Contents", [])]
