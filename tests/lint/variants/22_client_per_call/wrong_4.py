import boto3


class Archiver:
    def __init__(self, bucket):
        self.bucket = bucket

    def store(self, documents):
        for doc in documents:
            s3 = boto3.client("s3")
            s3.put_object(Bucket=self.bucket, Key=doc["id"], Body=doc["data"])
