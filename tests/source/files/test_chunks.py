from __future__ import annotations

import asyncio
import gc
import gzip
import io
import os
import pickle
import threading
import warnings

import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.source import FileChunks


@pytest.mark.parametrize("size", [1, 7, 4096, 65_536, 100_000, 300_000, 1 << 20])
@pytest.mark.parametrize("copy", [False, True])
def test_chunks_are_the_file(write, noise, size, copy):
    """Chunks of any size, borrowed or owned, are together the file, and none is longer than asked for."""
    data = noise[:2_000] if size == 1 else noise
    with FileChunks(write(data), size, copy=copy) as chunks:
        parts = [bytes(chunk) for chunk in chunks]
    assert b"".join(parts) == data
    assert {len(part) for part in parts[:-1]} <= {size}
    assert chunks.position == len(data)


@pytest.mark.parametrize("size", [4096, 65_536])
def test_a_borrowed_view_ends_with_its_turn(write, noise, size):
    """A view that is used after its turn raises instead of showing other bytes."""
    with FileChunks(write(noise), size) as chunks:
        first = next(chunks)
        next(chunks)
        with pytest.raises(ValueError, match="released"):
            bytes(first)


@pytest.mark.parametrize("size", [1000, 4096, 65_536, 100_000])
@pytest.mark.parametrize("keep", [lambda view: view[3:50], lambda view: memoryview(view)[3:50]])
def test_what_still_looks_into_a_buffer_keeps_it(write, noise, size, keep):
    """A slice that outlives its turn never changes: reading goes on in a new buffer, which is counted."""
    with FileChunks(write(noise), size) as chunks:
        kept = [(chunks.position, keep(view)) for view in chunks]
        assert chunks.pinned == -(-len(noise) // (size * max(1, limits.FILES_BLOCK_BYTES // size)))
    for end, part in kept:
        start = (end - 1) // size * size
        assert bytes(part) == noise[start + 3 : start + 50]


@pytest.mark.parametrize("size", [4096, 65_536])
def test_an_array_over_a_chunk_keeps_it(write, noise, size):
    """So does an array that numpy made of it, and no chunk is lost."""
    numpy = pytest.importorskip("numpy")
    with FileChunks(write(noise), size) as chunks:
        arrays = [numpy.frombuffer(view, numpy.uint8) for view in chunks]
    assert b"".join(array.tobytes() for array in arrays) == noise


def test_a_used_buffer_is_used_again(write, noise):
    """A loop that keeps nothing reads into one buffer."""
    with FileChunks(write(noise), 65_536) as chunks:
        places = {id(view.obj) for view in chunks}
    assert len(places) == 1
    assert chunks.pinned == 0


@pytest.mark.parametrize(
    ("offset", "length"), [(0, None), (5, None), (299_999, 10), (300_000, None), (7, 0), (100, 70_001)]
)
def test_offset_and_length(write, noise, offset, length):
    """They name the bytes as a slice does."""
    end = None if length is None else offset + length
    with FileChunks(write(noise), 4096, offset=offset, length=length) as chunks:
        assert b"".join(map(bytes, chunks)) == noise[offset:end]


def test_ranges_are_the_file(write, noise):
    """Ranges, pickled as a worker gets them, are together the file, each byte once."""
    parts = pickle.loads(pickle.dumps(FileChunks(write(noise), copy=True).ranges(7)))
    assert len(parts) == 7
    assert b"".join(chunk for part in parts for chunk in part) == noise


def test_the_extent_of_a_plain_local_file(write, noise):
    """Path, first byte, bytes and size of a chunk; nothing where others cannot read it by that, or it has begun."""
    path = write(noise)
    assert FileChunks(path, 1000, offset=7).reference() == (str(path), 7, len(noise) - 7, 1000)
    assert FileChunks(write(gzip.compress(noise))).reference() is None
    assert FileChunks(write(b"")).reference() is None
    assert FileChunks("nothing").reference() is None
    with FileChunks(path) as chunks:
        assert chunks.reference() is None
    assert chunks.reference() is None


def test_a_started_source_is_not_pickled(write, noise):
    """Its place in the file belongs to this process."""
    with FileChunks(write(noise)) as chunks, pytest.raises(errors.UsageError, match="being read"):
        pickle.dumps(chunks)


def test_it_is_one_pass(write):
    """A second pass is an error, not an empty file."""
    chunks = FileChunks(write(b"abc"))
    assert [bytes(chunk) for chunk in chunks] == [b"abc"]
    with pytest.raises(errors.ClosedError, match="one pass"):
        iter(chunks)


def test_its_bytes_are_promised_while_it_is_open(write, noise):
    """It reserves `bytes_max()` in the budget around its constructor, and gives it back at the end."""
    budget = fw.Budget("1 MiB")
    with budget:
        chunks = FileChunks(write(noise), "64 KiB")
    assert budget.held == 0
    with chunks:
        assert budget.held == chunks.bytes_max() == 65_536
        assert budget.holders()[0][0] == "source.file_chunks"
    assert budget.held == 0


def test_a_budget_may_refuse_it(write, noise, open_files):
    """What does not fit is refused before it is allocated, and the file is closed."""
    before = open_files()
    with fw.Budget("10 KiB"), pytest.raises(errors.BudgetExceeded), FileChunks(write(noise)):
        pass
    assert open_files() <= before


@pytest.mark.parametrize("leave", ["break", "error", "next"])
def test_leaving_closes(write, noise, open_files, leave):
    """A loop that is left, by whatever way, leaves no file and no bytes behind; without `with` there is a warning."""
    before, budget = open_files(), fw.Budget("1 MiB")
    with budget, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if leave == "break":
            for _ in FileChunks(write(noise), 4096):
                break
        elif leave == "next":
            chunks = FileChunks(write(noise), 4096)
            next(chunks)
            del chunks
        else:
            with pytest.raises(KeyError), FileChunks(write(noise), 4096) as chunks:  # noqa: PT012 - the loop is what raises
                for _ in chunks:
                    raise KeyError
        gc.collect()
    assert open_files() <= before
    assert budget.held == 0
    assert [one.category for one in caught] == ([] if leave == "error" else [ResourceWarning])


def test_the_gate_is_honoured(write, noise):
    """While the budget's gate is closed nothing is read; it goes on when the gate opens."""
    budget = fw.Budget("1 MiB")
    got = []
    with budget:
        chunks = FileChunks(write(noise), "64 KiB", copy=True)
    got.append(next(chunks))
    budget.gate.pause("memory is critical")
    thread = threading.Thread(target=lambda: got.extend(chunks))
    thread.start()
    thread.join(0.05)
    assert thread.is_alive()
    assert len(got) == 1
    budget.gate.resume()
    thread.join()
    assert b"".join(got) == noise


def test_closing_ends_who_waits_at_the_gate(write, noise):
    """`close` from another thread ends an iteration that stands at a closed gate."""
    budget = fw.Budget("1 MiB")
    with budget:
        chunks = FileChunks(write(noise), "64 KiB")
    budget.gate.pause("memory is critical")
    thread = threading.Thread(target=lambda: list(chunks))
    thread.start()
    chunks.close()
    thread.join(5)
    assert not thread.is_alive()
    assert budget.held == 0


def test_a_gate_that_stays_closed_is_an_error(write, noise, monkeypatch):
    """Nobody stands there for ever."""
    monkeypatch.setattr(limits, "GATE_WAIT_S", 0.0)
    monkeypatch.setattr(limits, "FILES_GATE_PERIOD_S", 0.001)
    budget = fw.Budget("1 MiB")
    budget.gate.pause("memory is critical")
    with budget, pytest.raises(errors.LimitReached, match="memory is critical"):
        list(FileChunks(write(noise)))


def test_coroutines(write, noise):
    """`async for` gives the same chunks."""

    async def read():
        return [bytes(chunk) async for chunk in FileChunks(write(noise), 65_536)]

    assert b"".join(asyncio.run(read())) == noise


def test_pipes_and_objects(noise):
    """Descriptors, file objects and objects that only have `read` are read from where they stand, and stay open."""
    read_end, write_end = os.pipe()
    os.write(write_end, b"some bytes")
    os.close(write_end)
    assert b"".join(map(bytes, FileChunks(read_end, 4))) == b"some bytes"
    os.close(read_end)
    file = io.BytesIO(noise)
    file.seek(10)
    assert b"".join(map(bytes, FileChunks(file, 4096))) == noise[10:]
    assert not file.closed

    class OnlyReads:
        def __init__(self):
            self.file = io.BytesIO(noise)

        def read(self, size):
            return self.file.read(size)

    assert b"".join(map(bytes, FileChunks(OnlyReads(), 4096))) == noise


def test_standard_input(write, noise):
    """ "-" is standard input, also of a program in a pipe."""
    import subprocess
    import sys

    code = "from flatwater.source import FileChunks; print(sum(map(len, FileChunks('-'))))"
    done = subprocess.run([sys.executable, "-c", code], input=noise, capture_output=True, check=True)
    assert int(done.stdout) == len(noise)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [({"size": 0}, "too small"), ({"size": "2 GiB"}, "at most"), ({"size": "many"}, "not a size"), ({"offest": 1}, "offest"),
     ({"compression": "rar"}, "rar"), ({"offset": -1}, "negative"), ({"expansion_max": 0.5}, "ratio"),
     ({"follow": True, "length": 5}, "follow")],
)  # fmt: skip
def test_nonsense_is_refused(write, arguments, what):
    """Arguments that make no sense are refused where they are written, by name."""
    with pytest.raises(errors.UsageError, match=what):
        FileChunks(write(b"abc"), **arguments)


def test_it_says_what_it_is(write):
    """Its repr tells the file and the place."""
    chunks = FileChunks(write(b"abc"))
    assert "not started" in repr(chunks)
    next(chunks)
    assert "at byte 3" in repr(chunks)
    chunks.close()
    assert "closed" in repr(chunks)


@pytest.mark.parametrize("size", [4096, 262_144])
def test_a_borrowed_view_ends_with_the_source(write, noise, size):
    """Its bytes go back to the budget when the source is closed, so it raises then, too; a slice of it stays right."""
    with FileChunks(write(noise), size) as chunks:
        view = next(chunks)
    with pytest.raises(ValueError, match="released"):
        bytes(view)
    with FileChunks(write(noise), size) as chunks:
        kept = next(chunks)[:10]
    assert bytes(kept) == noise[:10]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_takes_nothing(write, noise):
    """A child that goes on with its parent's source is refused, and the parent gets all bytes."""
    got, told = os.pipe()
    with FileChunks(write(noise), 100_000, copy=True) as chunks:
        parts = [next(chunks)]
        child = os.fork()
        if not child:
            try:
                os.write(told, str(len(b"".join(chunks))).encode())
            except errors.UsageError as error:
                os.write(told, str(error).encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        os.close(told)
        with open(got, "rb") as pipe:
            assert b"opened in the process from which this one was forked" in pipe.read()
        parts += chunks
    assert b"".join(parts) == noise


def test_objects_that_cannot_be_read(tmp_path):
    """A file that is closed, or open for writing, is refused in words."""
    with open(tmp_path / "a", "wb") as file, pytest.raises(errors.UsageError, match="is not open for reading"):
        list(FileChunks(file))
    with pytest.raises(errors.UsageError, match="is closed already"):
        list(FileChunks(file))
