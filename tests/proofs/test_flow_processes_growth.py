"""pmap in processes, in fresh process trees: flat whatever goes through; the same, kept here or in the workers, grows."""

from __future__ import annotations

import os
import sys

import pytest

import flatwater as fw

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.name != "posix", reason="workers need POSIX"),
]
SIZES = "4k..64k"
PROGRAM = """
import sys
import flatwater as fw

n, keeps = int(sys.argv[1]), sys.argv[2]
here = []


def function(item, there=[]):
    if keeps == "there":
        there.append(item)
    return item[::-1]


items = (b"%8d" % at * 250 for at in range(n))
for item in fw.Flow(items).pmap(function, kind="process", workers=2, bytes="1 MiB", memory="256 MiB"):
    if keeps == "here":
        here.append(item)
"""


def proof_of(folder, keeps, **options):
    """n items of 2 KB through two workers, in and back, as a command: its whole tree is measured."""
    path = folder / "program.py"
    path.write_text(PROGRAM)
    return fw.prove([sys.executable, str(path), "{n}", keeps], sizes=SIZES, resolution="256 B", **options)


def test_it_is_flat(tmp_path):
    """Neither the program nor its workers rise with the number of items."""
    proof = proof_of(tmp_path, "nothing")
    assert (proof.verdict, proof.outcome) == ("constant", "holds"), str(proof)


@pytest.mark.parametrize("keeps", ["here", "there"])
def test_its_leaking_twin_is_rejected(keeps, tmp_path):
    """Results that the program keeps, or items that the function keeps in its worker, are found to grow."""
    proof = proof_of(tmp_path, keeps, repeat=1)
    assert (proof.verdict, proof.outcome) == ("grows", "fails"), str(proof)
