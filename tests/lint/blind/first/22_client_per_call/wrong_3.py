import boto3
from pymongo import MongoClient


class DocumentStore:
    def __init__(self, uri: str, bucket: str) -> None:
        self.uri = uri
        self.bucket = bucket

    def find(self, document_id: str) -> dict | None:
        client = MongoClient(self.uri)
        return client.archive.documents.find_one({"_id": document_id})

    def sign_all(self, document_ids: list[str]) -> dict[str, str]:
        links = {}
        for document_id in document_ids:
            s3 = boto3.client("s3", region_name="eu-central-1")
            links[document_id] = s3.generate_presigned_url(
                "get_object", Params={"Bucket": self.bucket, "Key": document_id}
            )
        return links
