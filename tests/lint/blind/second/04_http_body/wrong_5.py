import os
import tempfile

import boto3
from celery import shared_task

from media.transcode import transcode

s3 = boto3.client("s3")


@shared_task(bind=True, max_retries=3)
def transcode_upload(self, bucket, key):
    obj = s3.get_object(Bucket=bucket, Key=key)
    fd, path = tempfile.mkstemp(suffix=os.path.splitext(key)[1])
    try:
        with os.fdopen(fd, "wb") as tmp:
            tmp.write(obj["Body"].read())
        transcode(path)
    finally:
        os.unlink(path)
