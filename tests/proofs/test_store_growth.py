"""Each verb of a store in fresh processes: flat in anonymous memory whatever the store holds; the same verb, kept, grows."""

from __future__ import annotations

import os

import pytest

import flatwater as fw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SIZES = {"lmdb": "4k..64k", "rocksdb": "1k..16k"}
SIZES_WRITTEN = {"lmdb": "16k..256k", "rocksdb": "1k..16k"}  # from where LMDB's tree has its depth
VALUE_BYTES = {"lmdb": 400, "rocksdb": 8000}  # RocksDB's cache and buffers are full at the first size


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


def reverse(store, _n, keep):
    for batch in store.batches(bytes="256 KiB", reverse=True):
        keep(batch)


def get(store, n, keep):
    for at in range(0, n, 2):
        keep(store.get(("entry", at * 7919 % n)))


def get_many(store, n, keep):
    for begin in range(0, n, 100):
        keep(store.get_many([("entry", at) for at in range(begin, begin + 100)]))


def update_each(store, _n, keep):
    def changed(_key, value):
        keep(value)
        return value[::-1]

    store.update_each(changed, bytes="256 KiB")


def write(store, n, keep):
    for begin in range(0, n, 200):
        pairs = [(("new", at * 7919 % n), value_of(at, store.backend)) for at in range(begin, begin + 200)]
        store.write(pairs)
        keep(pairs)


def clear(store, _n, keep):
    store.update_each(lambda key, value: keep((key, value)) or store.DELETE, bytes="256 KiB")


def ranges(store, _n, keep):
    for start, stop in store.ranges(4):
        for batch in store.batches(start=start, stop=stop, bytes="256 KiB"):
            keep(batch)


VERBS = {each.__name__: each for each in (walk, reverse, get, get_many, update_each, write, clear, ranges)}
CHANGING = {"update_each", "write", "clear"}


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
        options = {} if backend == "lmdb" else {"block_cache_size": "4 MiB"}
        with Store(path, sync="off", options=options) as store:
            VERBS[verb](store, n, held.append if kept else lambda _given: None)
        if verb in CHANGING:
            shutil.rmtree(path)

    run.needs = library  # sent along, so that it is imported before the call
    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the stores of the proofs are: each is made when the first proof gets to its size."""
    return str(tmp_path_factory.mktemp("stores"))


def proof_of(verb, folder, backend, *, kept):
    return fw.prove(
        scenario(verb, folder, backend, kept=kept), on_run=lambda n: store_of(folder, backend, n),
        sizes=(SIZES_WRITTEN if verb in CHANGING else SIZES)[backend], metric="anon",
        resolution="64 B" if backend == "lmdb" else "256 B",
    )  # fmt: skip


@pytest.mark.parametrize("backend", ["lmdb", "rocksdb"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_flat(verb, backend, folder):
    """Anonymous memory does not rise with the entries of the store; pages of the file are the system's."""
    proof = proof_of(verb, folder, backend, kept=False)
    assert (proof.verdict, proof.outcome) == ("constant", "holds"), str(proof)


@pytest.mark.parametrize("verb", VERBS)
def test_its_leaking_twin_is_rejected(verb, folder):
    """The same verb whose entries are kept is found to grow."""
    proof = proof_of(verb, folder, "lmdb", kept=True)
    assert (proof.verdict, proof.outcome) == ("grows", "fails"), str(proof)
