import polars as pl
from qdrant_client import QdrantClient
from qdrant_client.models import PointStruct


class Indexer:
    def __init__(self, collection: str):
        self.collection = collection
        self.qdrant = QdrantClient("localhost")

    def index_embeddings(self, parquet_path: str) -> None:
        embeddings = pl.read_parquet(parquet_path, columns=["id", "vector"])
        for ident, vector in embeddings.iter_rows():
            self.qdrant.upsert(self.collection, [PointStruct(id=ident, vector=vector)])
