"""Every way to read a file, in fresh processes, over files that double: constant, beside a twin that keeps and is rejected.

A row of a file is an item.
"""

from __future__ import annotations

import gzip
import os

import msgspec
import pytest

import flatwater as fw
from flatwater.source import FileChunks, lines, records
from flatwater.worker import Worker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SMALLEST, LARGEST, SIZES = 4_000, 256_000, "4k..64k"
GIB = 1 << 30


class Row(msgspec.Struct):
    id: int
    name: str


def text_of(form):
    """The rows of the largest file; those of a smaller one are its beginning."""
    rows = []
    for number in range(LARGEST):
        name = f"name of customer {number}".ljust(36, "x")
        rows.append(
            f'{{"id": {number:9}, "name": "{name}"}}\n' if form == "jsonl" else f"{number:9},{name},more of it\n"
        )
    return "".join(rows).encode(), len(rows[0])


def write_parquet(path, n):
    """A file of n rows in four groups, which grow with it, of pages that do not.

    A file of ever more groups has an ever larger footer, which is read first: 1.5 KB a group.
    """
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({"id": list(range(n)), "name": [f"name {number}" for number in range(n)]})
    parquet.write_table(table, path, row_group_size=n // 4, data_page_size=16 << 10, use_dictionary=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of 4,000 rows and of each doubling, for the further sizes of a proof, too."""
    made = tmp_path_factory.mktemp("files")
    forms = {form: text_of(form) for form in ("jsonl", "csv")}
    n = SMALLEST
    while n <= LARGEST:
        for form, (text, width) in forms.items():
            head = b"id,name,more\n" if form == "csv" else b""
            (made / f"{n}.{form}").write_bytes(head + text[: n * width])
        (made / f"{n}.gz").write_bytes(gzip.compress((made / f"{n}.csv").read_bytes(), 1))
        write_parquet(made / f"{n}.parquet", n)
        n *= 2
    return str(made)


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


WAYS = {
    "chunks, borrowed": ("csv", borrowed),
    "chunks, owned": ("csv", owned),
    "chunks of gzip": ("gz", owned),
    "lines": ("csv", lambda path, keep: all_of(lines(path), keep)),
    "rows of JSON": ("jsonl", lambda path, keep: all_of(records(path, Row), keep)),
    "rows of CSV": ("csv", lambda path, keep: all_of(records(path, Row), keep)),
    "rows of Parquet": ("parquet", lambda path, keep: all_of(records(path, Row), keep)),
}


def proof_of(way, folder, keep):
    form, read = WAYS[way]
    library = pytest.importorskip("pyarrow.parquet") if form == "parquet" else gzip

    def scenario(n):
        assert (
            library
        )  # sent along, so that it is imported before the call: else that is most of the time of small sizes
        read(os.path.join(folder, f"{n}.{form}"), keep)

    return fw.prove(scenario, sizes=SIZES)


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
