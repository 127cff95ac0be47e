"""Sorting, deduplicating and merging in fresh processes, over sources that double: constant, beside twins that are rejected.

And far more than fits, of items of very different sizes: no more objects than was promised.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import flatwater as fw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def texts(n):
    """So many, of 100 letters, in no order."""
    for at in range(n):
        yield f"{at * 7919 % 1_000_003:0100}"


def through(flow):
    for _item in flow:
        pass


def sort(n):
    through(fw.Flow(texts, n).sort(bytes="512 KiB"))


def sort_by_key(n):
    through(fw.Flow(texts, n).sort(len, bytes="512 KiB"))


def distinct(n):
    through(fw.Flow(texts, n).distinct(bytes="512 KiB"))


def merge(n):
    through(fw.Flow(range(n)).map(str).map(int).merge(fw.Flow(range(n)).map(float), key=int))


def all_sorted(n):
    through(fw.Flow(texts, n).pipe(sorted))


def all_keys(n):
    seen = set()
    through(fw.Flow(texts, n).filter(lambda text: text not in seen).each(seen.add))


def all_merged(n):
    through(fw.Flow(range(n)).map(str).map(int).pipe(lambda items: sorted([*items, *map(float, range(n))])))


@pytest.mark.parametrize(
    ("scenario", "sizes"),
    [(sort, "16k..256k"), (sort_by_key, "16k..256k"), (distinct, "32k..512k"), (merge, "8k..128k")],
)
def test_a_verb_is_flat(scenario, sizes):
    """Anonymous memory does not rise with the items, of which even the fewest are more than fit."""
    proof = fw.prove(scenario, sizes=sizes, metric="anon", resolution="16 B")
    assert (proof.verdict, proof.outcome) == ("constant", "holds"), str(proof)


@pytest.mark.parametrize("scenario", [all_sorted, all_keys, all_merged])
def test_its_leaking_twin_is_rejected(scenario):
    """The same in memory is found to grow."""
    proof = fw.prove(scenario, sizes="16k..256k", metric="anon", resolution="16 B")
    assert (proof.verdict, proof.outcome) == ("grows", "fails"), str(proof)


WITHIN = """
import json, random, sys, tracemalloc
import flatwater as fw
what = sys.argv[1]
rng = random.Random(1)

def items(n):
    for at in range(n):
        size = rng.choice([10, 100, 1_000, 20_000 if at % 50 == 0 else 200, 500_000 if at > 0.9 * n and at % 200 == 0 else 5])
        text = rng.randbytes(size // 2).hex()
        yield text if what != "rows" else {"id": rng.random(), "text": text, "more": [at, size]}

def key(item):
    return item["id"]

def flow(n, size):
    return fw.Flow(items, n).sort(key if what == "rows" else None, bytes=size, reverse=what == "backwards")

list(flow(100, 1))  # what the first use imports
tracemalloc.start()
total = 0
for item in flow(100_000 if what == "rows" else 300_000, "8 MiB"):
    total += sys.getsizeof(item if what != "rows" else item["text"]) + (0 if what != "rows" else 700)
print(json.dumps([tracemalloc.get_traced_memory()[1], flow(1, "8 MiB").bytes_max(), total]))
"""


@pytest.mark.parametrize("what", ["texts", "backwards", "rows"])
def test_a_sort_stays_in_its_promise(what):
    """Ten times its bytes and more, of items of 10 B to 500 KB, the heaviest at the end: no more objects than was promised.

    Objects, as Python counts them: what an allocator leaves unused between items of such different sizes is up to half as much
    again, and does not rise with their number, as above.
    """
    done = subprocess.run([sys.executable, "-c", WITHIN, what], capture_output=True, text=True, check=True)
    peak, promised, total = json.loads(done.stdout)
    assert total > 10 * promised
    assert peak <= promised + 2 * 500_000, (peak, promised)
