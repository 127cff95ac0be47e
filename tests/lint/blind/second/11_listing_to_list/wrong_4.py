import boto3
from botocore.config import Config


def get_client():
    return boto3.client("s3", config=Config(retries={"max_attempts": 5}))


def tag_backups(bucket: str, prefix: str) -> None:
    s3 = get_client()
    paginator = s3.get_paginator("list_objects_v2")
    pages = list(paginator.paginate(Bucket=bucket, Prefix=prefix))
    for page in pages:
        for obj in page.get("Contents", ()):
            s3.put_object_tagging(
                Bucket=bucket,
                Key=obj["Key"],
                Tagging={"TagSet": [{"Key": "tier", "Value": "cold"}]},
            )
