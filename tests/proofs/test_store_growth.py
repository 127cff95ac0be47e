"""Each verb of a store in fresh processes: flat in anonymous memory whatever the store holds; the same verb, kept, grows.

LMDB's walks are proved flat. RocksDB fills its cache and lists its files, LMDB's scattered writes touch more pages the deeper
the tree is: these are held to what the store has promised, at a size at which all of it is full.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import flatwater as fw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
VALUE_BYTES = {"lmdb": 400, "rocksdb": 4_000}


def store_of(folder, backend, n):
    """The path of a store of n entries, made when it is first asked for."""
    from flatwater.store.store import Store

    path = os.path.join(folder, f"{backend}-{n}")
    if not os.path.exists(path):
        with Store(path + ".tmp", backend=backend, sync="off") as store:
            for begin in range(0, n, 1000):
                store.write([(("entry", at), value_of(at, backend)) for at in range(begin, begin + 1000)])
            store.compact()
        os.rename(path + ".tmp", path)
    return path


def value_of(at, backend):
    """Bytes that do not compress to nothing."""
    import random

    return random.Random(at).randbytes(VALUE_BYTES[backend])


def walk(store, _n, keep):
    for batch in store.batches(("entry",), bytes="256 KiB"):
        keep(batch)


def update_each(store, _n, keep):
    def changed(_key, value):
        keep(value)
        return value[::-1]

    store.update_each(changed, bytes="256 KiB")


VERBS = {each.__name__: each for each in (walk, update_each)}
CHANGING = {"update_each"}


def scenario(verb, folder, backend, *, kept):
    """The verb over the store of n entries, with or without keeping what it gives; what it changes is a copy."""
    library = pytest.importorskip({"lmdb": "lmdb", "rocksdb": "rocksdict"}[backend])

    def run(n):
        import shutil

        from flatwater.store.store import Store

        path = os.path.join(folder, f"{backend}-{n}")
        if verb in CHANGING:
            path = shutil.copytree(path, f"{path}-{os.getpid()}")
        held = []
        with Store(path, sync="off") as store:
            VERBS[verb](store, n, held.append if kept else lambda _given: None)
        if verb in CHANGING:
            shutil.rmtree(path)

    run.needs = library  # sent along, so that it is imported before the call
    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the stores of the proofs are: each is made when the first proof gets to its size."""
    return str(tmp_path_factory.mktemp("stores"))


def proof_of(verb, folder, *, kept, sizes):
    return fw.prove(
        scenario(verb, folder, "lmdb", kept=kept), on_run=lambda n: store_of(folder, "lmdb", n),
        sizes=sizes, metric="anon", resolution="64 B",
    )  # fmt: skip


@pytest.mark.parametrize(("verb", "sizes"), [("walk", "4k..64k"), ("update_each", "8k..128k")])
def test_a_verb_is_flat(verb, sizes, folder):
    """Anonymous memory does not rise with the entries of the store; pages of the file are the system's."""
    proof = proof_of(verb, folder, kept=False, sizes=sizes)
    assert (proof.verdict, proof.outcome) == ("constant", "holds"), str(proof)


@pytest.mark.parametrize("verb", ["walk", "update_each"])
def test_its_leaking_twin_is_rejected(verb, folder):
    """The same verb whose entries are kept is found to grow."""
    proof = proof_of(verb, folder, kept=True, sizes="2k..32k")
    assert (proof.verdict, proof.outcome) == ("grows", "fails"), str(proof)


WITHIN = """
import json, random, sys, threading
from flatwater import limits
from flatwater.store.store import Store
backend, path, n, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

def anon():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon"))

def value(at):
    return random.Random(at).randbytes(size)

with Store(path + ".first", backend=backend, sync="off") as store:  # what the first use imports
    store.put(("a",), b"")
    list(store.batches())
before, peak, is_done = anon(), 0, threading.Event()

def sample():
    global peak
    while not is_done.wait(0.005):
        peak = max(peak, anon())

threading.Thread(target=sample).start()
options = None if backend == "lmdb" else {"block_cache_size": "4 MiB", "max_open_files": 32}
with Store(path, backend=backend, sync="off", options=options) as store:
    promised = store.bytes_max()
    for first in range(0, n, 200):
        store.write([((at * 7919 % n,), value(at)) for at in range(first, first + 200)])
    for batch in store.batches(bytes="256 KiB"):
        pass
    store.update_each(lambda key, value: value[::-1], bytes="256 KiB")
    for at in range(0, n, 3):
        store.get((at,))
    for batch in store.batches(bytes="256 KiB", reverse=True):
        pass
is_done.set()
print(json.dumps([before, peak, promised + 2 * (256 << 10) + limits.STORE_GATHERED_BYTES]))
"""


@pytest.mark.parametrize(("backend", "entries"), [("lmdb", 40_000), ("rocksdb", 40_000)])
def test_a_store_stays_in_its_promise(tmp_path, backend, entries):
    """Written in no order, walked, changed and read, twenty times as large as what it promised: it takes no more than that."""
    pytest.importorskip({"lmdb": "lmdb", "rocksdb": "rocksdict"}[backend])
    argv = [sys.executable, "-c", WITHIN, backend, str(tmp_path / "s"), str(entries), str(VALUE_BYTES["rocksdb"])]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    before, peak, promised = json.loads(done.stdout)
    assert entries * VALUE_BYTES["rocksdb"] > 5 * promised
    assert peak - before <= promised, (peak - before, promised)
