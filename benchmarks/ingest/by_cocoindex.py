"""CocoIndex: a folder into a table of SQLite, as its guide does it: `python -m benchmarks.ingest.by_cocoindex TEXTS STATE`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ["COCOINDEX_DISABLE_USAGE_TRACKING"] = "1"

import cocoindex as coco
from benchmarks.ingest import embedder
from cocoindex.connectors import localfs, sqlite
from cocoindex.ops.text import RecursiveSplitter

DATABASE = coco.ContextKey[sqlite.ManagedConnection]("chunks")
SPLITTER = RecursiveSplitter()


@dataclass
class Chunk:
    """A row; its vector is as sqlite-vec has it, without that extension."""

    path: str
    start: int
    stop: int
    text: str
    embedding: bytes


@coco.fn(memo=True)
async def ingest_file(file: localfs.File, table: sqlite.TableTarget[Chunk]) -> None:
    """One document: read, split, embedded, declared; not called again while neither it nor this code changed."""
    chunks = SPLITTER.split(await file.read_text(), embedder.CHUNK_CHARACTERS, chunk_overlap=0)
    if not chunks:
        return
    vectors = embedder.embed([chunk.text for chunk in chunks])
    path = file.file_path.path.as_posix()
    for chunk, vector in zip(chunks, vectors, strict=True):
        start, stop = chunk.start.char_offset, chunk.end.char_offset
        table.declare_row(row=Chunk(path, start, stop, chunk.text, vector.tobytes()))


@coco.fn
async def ingest(folder: Path) -> None:
    """All documents of a folder."""
    schema = await sqlite.TableSchema.from_class(Chunk, primary_key=["path", "start"])
    table = await sqlite.mount_table_target(DATABASE, "chunks", schema)
    await coco.mount_each(ingest_file, localfs.walk_dir(folder, recursive=True).items(), table)


def main(folder: str, state: str) -> None:
    """Bring a table in step with a folder."""
    Path(state).mkdir(exist_ok=True)

    @coco.lifespan
    def _opened(builder: coco.EnvironmentBuilder) -> Iterator[None]:
        builder.settings.db_path = Path(state, "cocoindex")
        with sqlite.managed_connection(Path(state, "chunks.sqlite")) as connection:
            builder.provide(DATABASE, connection)
            yield

    coco.App("ingest", ingest, folder=Path(folder)).update_blocking()
    coco.stop_blocking()


if __name__ == "__main__":
    main(*sys.argv[1:])
    embedder.tell()
