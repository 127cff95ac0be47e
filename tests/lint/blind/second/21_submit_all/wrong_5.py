from concurrent.futures import ThreadPoolExecutor, wait

import boto3

s3 = boto3.resource("s3")


def restore(summary) -> None:
    summary.Object().restore_object(RestoreRequest={"Days": 7})


def restore_bucket(name: str) -> None:
    bucket = s3.Bucket(name)
    pending = set()
    with ThreadPoolExecutor(32) as tpe:
        for summary in bucket.objects.all():
            pending.add(tpe.submit(restore, summary))
        wait(pending)
