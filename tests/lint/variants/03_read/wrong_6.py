import boto3
import gzip

s3 = boto3.client("s3")


def ingest_events(bucket, key, sink):
    obj = s3.get_object(Bucket=bucket, Key=key)
    raw = gzip.decompress(obj["Body"].read())
    for line in raw.decode().split("\n"):
        if line:
            sink.put(line)
