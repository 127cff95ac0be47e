import boto3


class InventoryReport:
    def __init__(self, bucket: str):
        self.bucket = bucket
        self.s3 = boto3.client("s3")

    def run(self, manifest_path: str) -> None:
        entries = {}
        paginator = self.s3.get_paginator("list_objects_v2")
        for page in paginator.paginate(Bucket=self.bucket):
            for obj in page.get("Contents", []):
                entries[obj["Key"]] = (obj["Size"], obj["ETag"])
        with open(manifest_path, "w") as manifest:
            for key, (size, etag) in entries.items():
                manifest.write(f"{key}\t{size}\t{etag}\n")
