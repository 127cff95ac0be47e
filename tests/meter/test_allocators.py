import ctypes
import gc
import os
import subprocess
import sys

import pytest

from flatwater.meter import allocators

MIB = 1 << 20
glibc = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="needs glibc 2.33 or newer"
)


def test_live_objects_show_in_the_arenas():
    """A million bytes of small objects are used in arenas, and free for others once they are gone."""
    gc.collect()  # what earlier tests left must not go between the looks
    before = allocators.arenas()
    kept = [bytes(100) for _ in range(40_000)]
    with_them = allocators.arenas()
    del kept
    after = allocators.arenas()
    assert with_them.used - before.used > 4 * MIB
    assert abs(after.used - before.used) < MIB
    assert with_them.held >= with_them.used + with_them.free - MIB


LARGE = """
from flatwater.meter import allocators
before = allocators.malloc().used
kept = bytearray(64 << 20)
after = allocators.malloc()
print(after.used - before, after.mapped, after.used >= after.mapped)
del kept
print(allocators.malloc_trim() in (True, False))
"""


@glibc
def test_large_blocks_show_in_malloc():
    """What lies outside the arenas is malloc's; in a fresh process, where nothing that was freed is large enough for it."""
    out = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, check=True)
    used, mapped, is_part, is_trimmed = out.stdout.split()
    assert min(int(used), int(mapped)) > 63 * MIB
    assert (is_part, is_trimmed) == ("True", "True")


def test_another_allocator_is_said_to_be_unknown():
    """With PYTHONMALLOC=malloc there are no arenas: -1, not 0."""
    out = subprocess.run(
        [sys.executable, "-c", "from flatwater.meter import allocators as a; print(a.arenas().held, a.arenas().free)"],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONMALLOC": "malloc"},
    )  # fmt: skip
    assert out.stdout.split() == ["-1", "-1"]


def test_a_c_library_without_the_functions(monkeypatch):
    """Elsewhere the figures are unknown and trimming says it cannot."""
    monkeypatch.setattr(allocators, "_c_function", lambda *_: None)
    assert allocators.malloc() == allocators.Malloc(-1, -1, -1)
    assert allocators.arenas() == allocators.Arenas(-1, -1, -1)
    assert allocators.malloc_trim() is None


def test_only_known_figures_are_added():
    """Unknown is no zero, and nothing known is unknown."""
    assert allocators.sum_known(1, -1, 2) == 3
    assert allocators.sum_known(-1, -1) == -1


def test_no_more_arenas():
    """glibc's malloc says that it obeys; where there is another malloc, nothing is called."""
    done = subprocess.run(
        [sys.executable, "-c", "from flatwater.meter import allocators; print(allocators.one_arena())"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == ("None" if allocators.malloc_trim() is None else "True")
