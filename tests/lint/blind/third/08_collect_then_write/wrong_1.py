import json

import boto3


def export_objects(bucket: str, target: str) -> None:
    s3 = boto3.client("s3")
    paginator = s3.get_paginator("list_objects_v2")
    inventory = []
    for page in paginator.paginate(Bucket=bucket):
        for obj in page.get("Contents", []):
            inventory.append({"key": obj["Key"], "size": obj["Size"]})
    with open(target, "w") as out:
        json.dump(inventory, out, indent=2)


if __name__ == "__main__":
    export_objects("render-farm-output", "inventory.json")
