"""Linting a tree in a fresh process: flat, however many files it has; the same with its findings kept grows."""

from __future__ import annotations

import pytest

import flatwater as fw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

HEAD = "import sqlite3\ndef rows():\n    for row in sqlite3.connect('a').execute('SELECT * FROM t').fetchall(): print(row)\n"


def tree(n):
    """n files, with a finding in each."""
    import os
    import tempfile

    folder = tempfile.mkdtemp()
    for number in range(n):
        if number % 100 == 0:
            os.mkdir(f"{folder}/part{number // 100}")
        with open(f"{folder}/part{number // 100}/m{number}.py", "w") as file:
            file.write(f"# {number}\n{HEAD}")
    return folder


def proof_of(*, kept, cached):
    def scenario(n, folder):
        import shutil

        from flatwater.lint.cache import Cache
        from flatwater.lint.linter import Linter

        held = []
        keep = held.append if kept else id
        with Cache(f"{folder}/.cache") as cache:
            for _round in range(2 if cached else 1):
                for finding in Linter(cache=cache if cached else None).look([folder]):
                    keep(finding)
        shutil.rmtree(folder)

    return fw.prove(scenario, sizes="50..800" if kept else "100..1600", setup=tree, metric="anon", resolution="64 B")


@pytest.mark.parametrize("cached", [False, True], ids=["uncached", "cached"])
def test_a_tree_is_flat(cached):
    """However many files there are, one of them is held."""
    proof = proof_of(kept=False, cached=cached)
    assert (proof.verdict, proof.outcome) == ("constant", "holds"), str(proof)


def test_its_leaking_twin_is_rejected():
    """The same tree whose findings are kept is found to grow."""
    proof = proof_of(kept=True, cached=False)
    assert (proof.verdict, proof.outcome) == ("grows", "fails"), str(proof)
