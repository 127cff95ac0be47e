"""meter.retention: the three reasons why a process stays large, told apart in fresh processes."""

import ctypes
import json
import mmap
import subprocess
import sys

import pytest

import flatwater as fw
from flatwater.meter import allocators

MIB = 1 << 20
glibc = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="needs glibc 2.33 or newer"
)


def fresh(code):
    program = f"import json, flatwater as fw\n{code}\n"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


@glibc
def test_survivors_pin_arenas_and_trim_says_so():
    """A half per cent of small objects keeps nearly all arenas; trim cannot help, and names the reason."""
    why, trimmed = fresh("""
kept = [{"n": n} for n in range(300_000)]
kept = kept[::200]
why = fw.retention()
print(json.dumps([why.to_dict(), str(fw.trim())]))
""")
    assert why["pinned"] > 50 * MIB
    assert why["live"] < 20 * MIB
    assert "pinned in arenas" in trimmed


@glibc
def test_what_malloc_keeps_comes_back_with_trim():
    """Larger blocks freed among survivors stay in malloc until they are trimmed."""
    before, got, after = fresh("""
kept = [bytes(2000) for _ in range(60_000)]
kept = kept[::100]
before = fw.retention()
trimmed = fw.trim()
after = fw.retention()
print(json.dumps([before.to_dict(), int(trimmed), after.to_dict()]))
""")
    assert before["kept"] > 90 * MIB
    assert got > 90 * MIB
    assert after["kept"] < 20 * MIB


@glibc
def test_large_blocks_that_were_never_touched_hide_nothing():
    """A mapping without pages is not resident: what malloc keeps stays named, and trim gives it back."""
    before, got = fresh("""
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
kept = [bytes(2000) for _ in range(60_000)]
kept = kept[::100]
lazy = libc.malloc(ctypes.c_size_t(400 << 20))
print(json.dumps([fw.retention().to_dict(), int(fw.trim())]))
""")
    assert got > 90 * MIB
    assert before["kept"] > 90 * MIB
    assert before["live"] < 30 * MIB


@glibc
def test_what_lives_is_live():
    """Objects that are still referenced are neither pinned nor kept."""
    why = fresh("kept = [bytes(2000) for _ in range(40_000)]; print(json.dumps(fw.retention().to_dict()))")
    assert why["live"] > 75 * MIB
    assert why["kept"] + why["pinned"] < 10 * MIB


@glibc
def test_a_large_block_that_was_touched_is_live():
    """Large blocks lie in mappings of their own, and are live like small ones."""
    why = fresh("kept = bytearray(b'x') * (80 << 20); print(json.dumps(fw.retention().to_dict()))")
    assert why["live"] > 75 * MIB


def test_mapped_files_are_file_pages(tmp_path):
    """A mapped file that was read shows as file pages, not as memory that the program holds."""
    import mmap

    path = tmp_path / "file"
    path.write_bytes(bytes(16 * MIB))
    before = fw.retention()
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert sum(mapped[offset] for offset in range(0, len(mapped), 4096)) == 0
        during = fw.retention()
    assert during.file - before.file > 15 * MIB
    assert during.live - before.live < 4 * MIB


def test_the_parts_sum_up_and_each_has_a_remedy():
    """The resident size is explained to the last byte, and each part says what gives it back."""
    why = fw.retention()
    assert sum(part.bytes for part in why.parts) == why.rss
    text = str(why)
    for part in why.parts:
        assert part.remedy in text


def test_an_unknown_allocator_is_a_doubt(monkeypatch):
    """Where nothing is told, nothing is invented: the rest is called other."""
    monkeypatch.setattr(allocators, "arenas", lambda: allocators.Arenas(-1, -1, -1))
    monkeypatch.setattr(allocators, "malloc", lambda: allocators.Malloc(-1, -1, -1))
    why = fw.retention()
    assert (why.pinned, why.kept) == (-1, -1)
    assert sum(part.bytes for part in why.parts) == why.rss
    assert "does not tell" in str(why)
    assert why.to_dict()["pinned"] is None


def test_trim_without_malloc_trim_says_so(monkeypatch):
    """On another C library it only collects, and says that."""
    monkeypatch.setattr(allocators, "malloc_trim", lambda: None)
    trimmed = fw.trim()
    assert "no malloc_trim" in trimmed.words
    assert trimmed.returned >= 0


@pytest.mark.skipif(sys.platform != "linux", reason="RssShmem is Linux's")
def test_shared_memory_is_not_the_kernels_to_take():
    """32 MiB of a shared mapping are `shared`, not `file`, and the parts still sum up."""
    before = fw.retention()
    with mmap.mmap(-1, 32 << 20) as segment:
        for _ in range(32):
            segment.write(b"x" * (1 << 20))
        why = fw.retention()
    assert 31 << 20 <= why.shared - before.shared <= 33 << 20
    assert abs(why.file - before.file) < 8 << 20
    assert sum(part.bytes for part in why.parts) == why.rss
