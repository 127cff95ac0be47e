import pyarrow.parquet as pq

from recommend.model import Encoder


class EmbeddingJob:
    def __init__(self, encoder: Encoder, source: str) -> None:
        self.encoder = encoder
        self.file = pq.ParquetFile(source)

    def vectors(self):
        return [
            self.encoder.encode(text)
            for batch in self.file.iter_batches(columns=["text"])
            for text in batch["text"].to_pylist()
        ]
