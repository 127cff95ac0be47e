import asyncio
from pathlib import Path

import aioboto3


class Uploader:
    def __init__(self, bucket: str) -> None:
        self.bucket = bucket
        self.session = aioboto3.Session()

    async def upload_tree(self, root: Path) -> None:
        async with self.session.client("s3") as s3:
            pending = []
            for path in root.rglob("*.tif"):
                pending.append(s3.upload_file(str(path), self.bucket, path.name))
            await asyncio.gather(*pending)
