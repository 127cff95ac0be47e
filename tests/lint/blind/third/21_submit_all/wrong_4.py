from concurrent.futures import ThreadPoolExecutor

import boto3

s3 = boto3.client("s3")


def tag(bucket: str, key: str) -> None:
    s3.put_object_tagging(
        Bucket=bucket, Key=key, Tagging={"TagSet": [{"Key": "tier", "Value": "cold"}]}
    )


def tag_bucket(bucket: str) -> None:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    with ThreadPoolExecutor(max_workers=32) as executor:
        for page in pages:
            for obj in page.get("Contents", []):
                executor.submit(tag, bucket, obj["Key"])
