"""Every way to read a file, in fresh processes, over files that double: constant, beside a twin that keeps and is rejected.

A row of a file is an item.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import msgspec
import pytest

import flatwater as fw
from flatwater.source import FileChunks, lines, records
from flatwater.worker import Worker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SIZES = "2k..32k"
# A group has 4,096 rows, a full record batch, from 32k on; what is kept stands out of what a batch takes from 64k on.
PARQUET_SIZES = {False: "32k, 48k, 64k, 96k, 128k", True: "64k, 96k, 128k, 192k, 256k"}
GIB = 1 << 30


def text_of(form, n):
    """So many rows, all as wide."""
    rows = ["id,name,more\n"] if form == "csv" else []
    for number in range(n):
        name = f"name of customer {number}".ljust(36, "x")
        rows.append(
            f'{{"id": {number:9}, "name": "{name}"}}\n' if form == "jsonl" else f"{number:9},{name},more of it\n"
        )
    return "".join(rows).encode()


def write_parquet(path, n):
    """A file of n rows in four groups, which grow with it, of pages that do not.

    A file of ever more groups has an ever larger footer, which is read first: 1.5 KB a group. Pages are not compressed: those
    of numbers in a row shrink to so little that Arrow's allocator is what would be measured.
    """
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({"id": list(range(n)), "name": [f"name {number}" for number in range(n)]})
    parquet.write_table(
        table, path, row_group_size=n // 4, data_page_size=16 << 10, use_dictionary=False, compression="none"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the files of the proofs are."""
    return str(tmp_path_factory.mktemp("files"))


def make_file(folder, form, n):
    """The file of n rows, made when the first proof gets to its size."""
    path = os.path.join(folder, f"{n}.{form}")
    if os.path.exists(path):
        return
    if form == "parquet":
        write_parquet(path, n)
    else:
        Path(path).write_bytes(gzip.compress(text_of("csv", n), 1) if form == "gz" else text_of(form, n))


def borrowed(path, keep):
    """Views of one buffer; the twin keeps a slice of each."""
    kept = []
    for chunk in FileChunks(path, 64):
        if keep:
            kept.append(chunk[:10])  # noqa: PERF401 - the loop is what is tested


def owned(path, keep):
    """Bytes of one's own."""
    kept = []
    for chunk in FileChunks(path, 64, copy=True):
        if keep:
            kept.append(chunk)  # noqa: PERF401 - the loop is what is tested


def all_of(source, keep):
    """Items, one at a time."""
    kept = []
    for item in source:
        if keep:
            kept.append(item)  # noqa: PERF401 - the loop is what is tested


def typed(path, keep):
    """Rows of a Struct; it is made here, because one that is sent to another process loses its fields."""
    row_class = msgspec.defstruct("Row", [("id", int), ("name", str)])
    all_of(records(path, row_class), keep)


WAYS = {
    "chunks, borrowed": ("csv", borrowed),
    "chunks, owned": ("csv", owned),
    "chunks of gzip": ("gz", owned),
    "lines": ("csv", lambda path, keep: all_of(lines(path), keep)),
    "rows of JSON": ("jsonl", typed),
    "rows of CSV": ("csv", typed),
    "rows of Parquet": ("parquet", typed),
}


def proof_of(way, folder, keep):
    form, read = WAYS[way]
    library = pytest.importorskip("pyarrow.parquet") if form == "parquet" else gzip

    def scenario(n):
        read(os.path.join(folder, f"{n}.{form}"), keep)

    scenario.needs = (
        library  # sent along, so that it is imported before the call: else that is most of small sizes' time
    )
    sizes = PARQUET_SIZES[keep] if form == "parquet" else SIZES
    return fw.prove(scenario, sizes=sizes, on_run=lambda n: make_file(folder, form, n))


@pytest.mark.parametrize("way", WAYS)
def test_reading_is_constant(way, folder):
    """However many rows a file has, reading it takes the same memory."""
    proof = proof_of(way, folder, keep=False)
    assert (proof.verdict, proof.outcome) == ("constant", "holds"), str(proof)


@pytest.mark.parametrize("way", WAYS)
def test_the_twin_that_keeps_is_rejected(way, folder):
    """The same reading that keeps what it got grows linearly."""
    proof = proof_of(way, folder, keep=True)
    assert (proof.verdict, proof.outcome) == ("grows", "fails"), str(proof)


def test_a_small_worker_reads_a_large_file(tmp_path):
    """A worker limited to 64 MiB reads a file of 4 GiB to its end."""
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, 4 * GIB)
    with Worker("64 MiB") as worker:
        outcome = worker.run(lambda name: sum(map(len, FileChunks(name))), (str(path),))
    assert outcome.value == 4 * GIB
    assert outcome.peak_rss - outcome.start_rss < 8 << 20
