"""The passes of a sync over its state: ours, and a Go program's over bbolt.

Three passes as a sync without a merge does them: every entry is marked, every listed file is looked up and marked again, what
is left is looked for. bbolt's program does as yomins-sync does: JSON values, a transaction for each look-up. And the merge
that needs one: the sorted listing beside the entries, only differences are written.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome
from benchmarks.store import listing
from benchmarks.store.listing import DELETED, ETAG_BYTES, READ_ROWS, SYNCED, UNSEEN, WRITE_ROWS

GOPATH = "/usr/share/gocode"  # where Debian puts the sources of Go libraries
PROGRAM = Path(__file__).parent / "bbolt" / "passes.go"
FIGURES = {"prepare_s": "prepare s", "scan_s": "scan s", "finish_s": "finish s", "anon_mb": "anon MB, bbolt alone", "file_mb": "file MB", "grown_pc": "file grew %"}  # fmt: skip
BBOLT, LMDB, TYPED, ROCKSDB = "bbolt in Go, JSON", "Store, bytes", "Store, typed", "Store on RocksDB, bytes"
MERGE, MERGE_CHANGED = "Store, merge, nothing changed", "Store, merge, 20 % changed"


class Entry(msgspec.Struct, array_like=True):
    """The same 60 bytes as a typed value."""

    etag: str
    size: int
    mtime: int
    status: int


def less(ours: str) -> Callable[[Outcome], float]:
    """The part of bbolt's CPU that ours takes."""
    return lambda outcome: outcome.ratio(ours, BBOLT)


def grown(outcome: Outcome) -> float:
    """Of the file, the most."""
    return max(outcome.figure(ours, "grown_pc") for ours in (LMDB, MERGE, MERGE_CHANGED))


def anon_mb(outcome: Outcome) -> float:
    """Of the whole process, the most."""
    rounds = [each for ours in (LMDB, MERGE, MERGE_CHANGED) for each in outcome.rounds[ours]]
    return max(each["anon_peak_bytes"] for each in rounds) / 1e6


def bars() -> tuple[Bar, ...]:
    """What is promised at any size."""
    return (
        Bar("three passes take at most 1/3.5 of bbolt's CPU", 1 / 3.5, "x", less(LMDB)),
        Bar("a merge without changes takes at most 1/7 of the three passes' CPU in bbolt", 1 / 7, "x", less(MERGE)),
        Bar("a merge with 20 % changed, at most 1/5.5 of it", 1 / 5.5, "x", less(MERGE_CHANGED)),
        Bar("LMDB: anonymous memory stays within 32 MB", 32, "MB", anon_mb),
        Bar("LMDB: the file grows by at most 5 % in three passes or a merge", 5, "%", grown),
    )


def new_case(size: int) -> Case:
    """The case at one size, with all contestants."""
    made = Case(
        f"A sync's state of {size // 1_000_000} million files: three passes over all of it, and merges.",
        size=size, tiny=3_000, per="file", unit="us", figures=FIGURES, bars=bars(),
    )  # fmt: skip
    made.contestant(LMDB, needs=("lmdb",))(lambda size: passes(size, "lmdb"))
    made.contestant(BBOLT, absent=no_bbolt)(bbolt)
    made.contestant(MERGE, needs=("lmdb",))(lambda size: merge(size, changed=False))
    made.contestant(MERGE_CHANGED, needs=("lmdb",))(lambda size: merge(size, changed=True))
    if size <= 1_000_000:
        made.contestant(TYPED, needs=("lmdb",))(typed)
        made.contestant(ROCKSDB, needs=("rocksdict",), rounds_max=2)(lambda size: passes(size, "rocksdb"))
    return made


# --- bbolt ------------------------------------------------------------------------------------------------------------


@functools.cache
def no_bbolt() -> str:
    """What is missing for it."""
    if shutil.which("go") is None or not os.path.isdir(f"{GOPATH}/src/go.etcd.io/bbolt"):
        return "go or bbolt is not installed (apt-get install golang-go golang-github-coreos-bbolt-dev)"
    return ""


def built(program: Path) -> str:
    """The compiled program; made once."""
    made = listing.folder() / f"{program.stem}-{program.stat().st_mtime_ns}"
    if not made.exists():
        environment = {**os.environ, "GO111MODULE": "off", "GOPATH": GOPATH, "GOCACHE": str(listing.folder() / "go")}
        subprocess.run(["go", "build", "-o", str(made), str(program)], env=environment, check=True)
    return str(made)


def bbolt(size: int) -> Run:
    """Loaded by a process of its own, which is not counted."""
    home = tempfile.mkdtemp()
    program, database = built(PROGRAM), f"{home}/state.db"
    subprocess.run([program, "load", database, listing.path(size)], check=True)

    def run() -> dict[str, float]:
        done = subprocess.run([program, "passes", database, listing.path(size)], check=True, stdout=subprocess.PIPE)
        shutil.rmtree(home)
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    return run


# --- ours -------------------------------------------------------------------------------------------------------------


def loaded(size: int, backend: str = "lmdb", kind: Any = bytes, sync: str = "off") -> tuple[Any, str]:
    """A store with an entry for each file, and its folder."""
    import flatwater as fw

    home = tempfile.mkdtemp()
    store = fw.Store(f"{home}/state", backend=backend, sync="off", type=kind)
    for batch in listing.batches(listing.path(size), READ_ROWS):
        if kind is bytes:
            store.write([((key,), listing.packed(key, etag, SYNCED)) for key, etag in batch])
        else:
            store.write([((key,), Entry(etag, len(key) * 1000, 1_700_000_000, 1)) for key, etag in batch])
    if sync != "off":
        store.close()
        store = fw.Store(f"{home}/state", sync=sync, type=kind)
    return store, home


def measured(store: Any, home: str, steps: dict[str, Callable[[], None]]) -> Run:
    """A run of named steps, with the CPU of each, own anonymous memory and the growth of the file."""

    def run() -> dict[str, float]:
        before = store.stats().file_bytes
        figures: dict[str, float] = {}
        for name, step in steps.items():
            began = cpu_s()
            step()
            figures[name] = cpu_s() - began
        after = store.stats().file_bytes
        figures["file_mb"] = after / 1e6
        figures["grown_pc"] = 100 * (after - before) / before
        shutil.rmtree(home)
        return figures

    return run


def cpu_s() -> float:
    """Of this process, user and system."""
    used = os.times()
    return used.user + used.system


def passes(size: int, backend: str) -> Run:
    """The three of them, on packed bytes."""
    store, home = loaded(size, backend)
    return measured(store, home, three(store, size))


def three(store: Any, size: int) -> dict[str, Callable[[], None]]:
    """The three of them, by name."""

    def prepare() -> None:
        store.update_each(
            lambda _key, value: value[:-1] + UNSEEN if value[-1:] == SYNCED else None,
            write_rows=WRITE_ROWS,
            rows=READ_ROWS,
        )

    def scan() -> None:
        for batch in listing.batches(listing.path(size), WRITE_ROWS):
            keys = [(key,) for key, _etag in batch]
            changes = [
                (key, value[:-1] + SYNCED)
                for key, (_, etag), value in zip(keys, batch, store.get_many(keys), strict=True)
                if value is not None and value[-1:] == UNSEEN and value[:ETAG_BYTES] == etag.encode()
            ]
            store.write(changes)

    def finish() -> None:
        store.update_each(
            lambda _key, value: value[:-1] + DELETED if value[-1:] == UNSEEN else None,
            write_rows=WRITE_ROWS,
            rows=READ_ROWS,
        )

    return {"prepare_s": prepare, "scan_s": scan, "finish_s": finish}


def typed(size: int) -> Run:
    """The three of them, on Structs."""
    store, home = loaded(size, kind=Entry)

    def mark(old: int, new: int) -> None:
        def change(_key: object, entry: Entry) -> Entry | None:
            if entry.status != old:
                return None
            entry.status = new
            return entry

        store.update_each(change, write_rows=WRITE_ROWS, rows=READ_ROWS)

    def scan() -> None:
        for batch in listing.batches(listing.path(size), WRITE_ROWS):
            keys = [(key,) for key, _etag in batch]
            changes = []
            for key, (_, etag), entry in zip(keys, batch, store.get_many(keys), strict=True):
                if entry is not None and entry.status == 3 and entry.etag == etag:
                    entry.status = 1
                    changes.append((key, entry))
            store.write(changes)

    return measured(store, home, {"prepare_s": lambda: mark(1, 3), "scan_s": scan, "finish_s": lambda: mark(3, 2)})


def merge(size: int, *, changed: bool) -> Run:
    """The sorted listing beside the entries: one pass, and only what differs is written."""
    store, home = loaded(size)
    return measured(store, home, {"scan_s": merging(store, size, changed=changed)})


def merging(store: Any, size: int, *, changed: bool) -> Callable[[], None]:
    """The pass of a merge."""

    def walk() -> None:
        listed = chain.from_iterable(listing.batches(listing.path(size, changed=changed), READ_ROWS))
        entries: Iterator[Any] = chain.from_iterable(store.batches(rows=READ_ROWS))
        changes: list[tuple[tuple[str], bytes | None]] = []
        entry = next(entries, None)
        for path, etag in listed:
            while entry is not None and entry[0][0] < path:  # it is not listed any more
                changes.append((entry[0], None))
                entry = next(entries, None)
            if entry is None or entry[0][0] != path:
                changes.append(((path,), listing.packed(path, etag, SYNCED)))
            else:
                if entry[1][:ETAG_BYTES] != etag.encode():
                    changes.append((entry[0], listing.packed(path, etag, SYNCED)))
                entry = next(entries, None)
            if len(changes) >= WRITE_ROWS:
                store.write(changes)
                changes = []
        while entry is not None:
            changes.append((entry[0], None))
            entry = next(entries, None)
        store.write(changes)

    return walk


case = new_case(1_000_000)
