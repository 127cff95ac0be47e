import boto3

dynamodb = boto3.client("dynamodb")


def all_sessions(table: str) -> list[dict]:
    paginator = dynamodb.get_paginator("scan")
    return [item for page in paginator.paginate(TableName=table) for item in page["Items"]]


def purge_expired(table: str, now: int) -> int:
    removed = 0
    for item in all_sessions(table):
        if int(item["expires"]["N"]) < now:
            dynamodb.delete_item(TableName=table, Key={"id": item["id"]})
            removed += 1
    return removed
