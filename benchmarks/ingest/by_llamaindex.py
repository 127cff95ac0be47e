"""LlamaIndex: a folder through an IngestionPipeline, persisted as its files: `python -m benchmarks.ingest.by_llamaindex TEXTS STATE`."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.ingest import embedder
from llama_index.core import SimpleDirectoryReader
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.vector_stores import SimpleVectorStore


class Hashing(BaseEmbedding):
    """The embedder, as LlamaIndex calls it."""

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return embedder.embed(texts).tolist()

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


def characters(text: str) -> str:
    """What the splitter counts; its default counts tokens."""
    return text


def main(folder: str, state: str) -> None:
    """Bring a store in step with a folder."""
    vectors = Path(state, "vectors.json")
    splitter = SentenceSplitter(
        chunk_size=embedder.CHUNK_CHARACTERS, chunk_overlap=0, tokenizer=characters, include_metadata=False
    )
    pipeline = IngestionPipeline(
        transformations=[splitter, Hashing(embed_batch_size=1_000)],
        docstore=SimpleDocumentStore(),
        docstore_strategy=DocstoreStrategy.UPSERTS_AND_DELETE,
        vector_store=SimpleVectorStore.from_persist_path(str(vectors)) if vectors.exists() else SimpleVectorStore(),
    )
    if Path(state).exists():
        pipeline.load(state)
    documents = SimpleDirectoryReader(folder, recursive=True, filename_as_id=True).load_data()
    pipeline.run(documents=documents)
    pipeline.persist(state)
    pipeline.vector_store.persist(str(vectors))


if __name__ == "__main__":
    main(*sys.argv[1:])
    embedder.tell()
