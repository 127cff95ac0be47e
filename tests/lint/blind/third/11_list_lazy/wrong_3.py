import glob
import os

import boto3
from PIL import Image


def resize_uploads(folder: str) -> None:
    for path in sorted(glob.iglob(os.path.join(folder, "**", "*.jpg"), recursive=True)):
        with Image.open(path) as img:
            img.thumbnail((1024, 1024))
            img.save(path)


def mirror(bucket: str, folder: str) -> None:
    s3 = boto3.client("s3")
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket))
    for page in pages:
        for obj in page.get("Contents", []):
            s3.download_file(bucket, obj["Key"], os.path.join(folder, obj["Key"]))
    resize_uploads(folder)
