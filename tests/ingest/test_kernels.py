import sys
import threading

import numpy as np
import pytest

from flatwater.ingest import kernels

LIBRARIES = (*kernels.LIBRARIES, "numpy")


def by(library):
    try:
        return kernels.dots_of(library)
    except ImportError:
        pytest.skip(f"{library} is not installed")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("width", [1, 2, 7, 63, 64, 65, 384, 1000, 1025, 4096, 16384])
def test_products_are_exact_at_every_width(library, width):
    """Every library gives the products of whole numbers without a rounding, also of one row and of the largest values."""
    rng = np.random.default_rng(width)
    rows = rng.integers(-127, 128, (37, width), np.int8)
    rows[0], rows[1] = 127, -127
    for row in (rng.integers(-127, 128, width, np.int8), np.full(width, -127, np.int8), np.zeros(width, np.int8)):
        expected = rows.astype(np.int64) @ row.astype(np.int64)
        for some in (rows, rows[:1]):
            found = by(library)(some, row)
            assert found.dtype == np.float64
            assert found.tolist() == expected[: len(some)].tolist()


@pytest.mark.parametrize("library", kernels.LIBRARIES)
def test_the_lock_is_given_up(library):
    """While a library multiplies, another thread runs: not each time on a busy machine, but never where the lock is kept."""
    dots = by(library)
    rows, row = np.ones((20_000, 4_096), np.int8), np.ones(4_096, np.int8)
    assert any(ran_meanwhile(dots, rows, row) for _ in range(50))


def ran_meanwhile(dots, rows, row):
    """Whether another thread ran while these were multiplied."""
    go, ran = threading.Event(), threading.Event()

    def other():
        go.wait()
        ran.set()

    before = sys.getswitchinterval()
    thread = threading.Thread(target=other)
    thread.start()
    try:
        sys.setswitchinterval(60)  # nobody is asked for the lock: it is given up, or kept until the end
        go.set()
        dots(rows, row)
        return ran.is_set()
    finally:
        sys.setswitchinterval(before)
        thread.join()


def test_the_first_library_that_imports_is_taken(monkeypatch):
    """Where numkong is missing simsimd is taken, and where both are, numpy."""
    asked = []

    def dots_of(library):
        asked.append(library)
        if library != "numpy":
            raise ImportError(library)
        return np.dot

    monkeypatch.setattr(kernels, "dots_of", dots_of)
    assert kernels.dots.__wrapped__() is np.dot
    assert asked == ["numkong", "simsimd", "numpy"]


def test_the_house_installs_the_fastest():
    """What the extra installs is what is used."""
    import importlib.util

    assert importlib.util.find_spec("numkong") is not None
