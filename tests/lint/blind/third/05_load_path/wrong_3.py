import pyarrow.parquet as pq
import redis


class EmbeddingLoader:
    """Copies embeddings of catalogue items into redis."""

    def __init__(self, url: str = "redis://localhost/3") -> None:
        self.redis = redis.Redis.from_url(url)

    def load(self, parquet_file: str) -> int:
        table = pq.read_table(parquet_file, columns=["item_id", "vector"])
        n = 0
        for record in table.to_pylist():
            self.redis.set(f"emb:{record['item_id']}", bytes(record["vector"]))
            n += 1
        return n
