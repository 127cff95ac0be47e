"""An exact scan in fresh processes: flat in anonymous memory from 100 thousand vectors to 3 million; its twin grows.

The files have holes instead of vectors: all are equal, so that all are candidates, which is the most that a scan can be given.
"""

from __future__ import annotations

import functools
import os

import pytest

import flatwater as fw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SIZES = [100_000, 240_000, 560_000, 1_300_000, 3_000_000]


def folder_of(folder, n):
    """The folder of n vectors, made when it is first asked for."""
    from flatwater.ingest.vectors import Vectors, names

    path = os.path.join(folder, str(n))
    if not os.path.exists(path):
        Vectors.writing(path, 384).close()
        for name, unit in zip(names(384), (8, 4, 384, 4 * 384), strict=True):
            os.truncate(os.path.join(path, name), n * unit)
    return path


def scenario(folder, *, kept):
    """A search in n vectors, with or without keeping the scales that it comes by."""
    pytest.importorskip("numkong")

    def run(n):
        import numpy as np

        from flatwater.ingest.scan import nearest
        from flatwater.ingest.vectors import SCALES, Vectors

        held = []
        with Vectors.reading(os.path.join(folder, str(n)), 384) as reader:

            def mask(block):
                first = block * 32_768
                scales = np.empty(min(32_768, n - first), np.float32)
                reader.read_into(SCALES, first, scales)
                if kept:
                    held.append(scales)
                return b"\xff" * 4_096

            if len(nearest(reader, n, np.ones(384, np.float32), 10, mask)) != 10:
                raise RuntimeError("not all were found")

    return run


@pytest.mark.parametrize(("kept", "verdict"), [(False, "constant"), (True, "grows")])
def test_a_scan_is_flat_and_its_twin_is_not(tmp_path, kept, verdict, monkeypatch):
    """Anonymous memory of a scan does not rise with the vectors; where 4 bytes of each are kept, it does."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # its threads spin for a while when numpy is imported
    proof = fw.prove(
        scenario(str(tmp_path), kept=kept), on_run=functools.partial(folder_of, str(tmp_path)),
        sizes=SIZES, metric="anon", resolution="1 B",
    )  # fmt: skip
    assert proof.verdict == verdict, str(proof)
