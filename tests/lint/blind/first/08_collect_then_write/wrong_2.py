import json

import boto3


class InventoryDump:
    def __init__(self, bucket: str) -> None:
        self.bucket = bucket
        self.s3 = boto3.client("s3")

    def write(self, path: str) -> None:
        objects = []
        paginator = self.s3.get_paginator("list_objects_v2")
        for page in paginator.paginate(Bucket=self.bucket):
            for item in page.get("Contents", ()):
                objects.append({"key": item["Key"], "size": item["Size"]})
        with open(path, "w") as out:
            json.dump(objects, out)
