import boto3

dynamodb = boto3.client("dynamodb")


def session_ids(table_name: str) -> set[str]:
    paginator = dynamodb.get_paginator("scan")
    pages = paginator.paginate(TableName=table_name, ProjectionExpression="session_id")
    return {item["session_id"]["S"] for page in pages for item in page["Items"]}


def orphaned(table_name: str, live: set[str]) -> int:
    return sum(1 for sid in session_ids(table_name) if sid not in live)
