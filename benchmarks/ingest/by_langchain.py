"""LangChain: a folder through `index()` and a record manager over SQLite into LanceDB: `python -m benchmarks.ingest.by_langchain`."""

from __future__ import annotations

import sys
from pathlib import Path

import lancedb
from benchmarks.ingest import embedder
from langchain_classic.indexes import SQLRecordManager, index
from langchain_community.document_loaders import DirectoryLoader, TextLoader
from langchain_community.vectorstores import LanceDB
from langchain_core.embeddings import Embeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

BATCH = 1_000  # chunks; its default of 100 costs more


class Hashing(Embeddings):
    """The embedder, as LangChain calls it."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """As `Embeddings.embed_documents`."""
        return embedder.embed(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        """As `Embeddings.embed_query`."""
        return self.embed_documents([text])[0]


def main(folder: str, state: str) -> None:
    """Bring a store in step with a folder."""
    Path(state).mkdir(exist_ok=True)
    records = SQLRecordManager("texts", db_url=f"sqlite:///{state}/records.sqlite")
    records.create_schema()
    store = LanceDB(connection=lancedb.connect(f"{state}/lancedb"), embedding=Hashing(), mode="append")
    loader = DirectoryLoader(folder, glob="**/*.*", loader_cls=TextLoader, loader_kwargs={"encoding": "utf-8"})
    splitter = RecursiveCharacterTextSplitter(chunk_size=embedder.CHUNK_CHARACTERS, chunk_overlap=0)
    index(
        (chunk for document in loader.lazy_load() for chunk in splitter.split_documents([document])),
        records, store, batch_size=BATCH, cleanup="scoped_full", source_id_key="source", key_encoder="blake2b",
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
    embedder.tell()
