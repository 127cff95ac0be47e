import boto3


def bucket_usage(bucket: str, prefix: str = "") -> tuple[int, int]:
    client = boto3.client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    sizes = []
    for page in pages:
        for entry in page.get("Contents", ()):
            sizes.append(entry["Size"])
    return len(sizes), sum(sizes)


def report(buckets: list[str]) -> None:
    for bucket in buckets:
        n, total = bucket_usage(bucket)
        print(f"{bucket:30} {n:>10} {total / 1e9:>10.2f} GB")
