from __future__ import annotations

import asyncio
import gzip
import pickle

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.source import lines


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "shift_jis"])
def test_text_of_any_encoding(write, end, encoding):
    """Byte order marks and ends go, all else stays, with or without a last end."""
    texts = ["one", "", "二 テスト", "x" * 100_000, "last"]
    for last in ("", end):
        path = write((end.join(texts) + last).encode(encoding))
        asked = encoding if encoding == "shift_jis" else "utf-8"
        assert list(lines(path, encoding=asked)) == texts


@pytest.mark.parametrize("other", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\r", "\0"])
def test_nothing_else_ends_a_line(write, other):
    """What str.splitlines takes for an end is part of a line, and so is NUL."""
    assert list(lines(write(f"a{other}b\nc"))) == [f"a{other}b", "c"]


def test_bytes(write):
    """encoding=None gives bytes as they are, a byte order mark too."""
    assert list(lines(write(b"\xef\xbb\xbfa\r\n\xff\n"), encoding=None)) == [b"\xef\xbb\xbfa", b"\xff"]


def test_bytes_that_are_no_text(write):
    """They are told with line and byte, after the lines before; or passed over and reported; or replaced."""
    path = write(b"good\nbad \xff\r\nalso good\n")
    reader = lines(path)
    assert next(reader) == "good"
    with pytest.raises(errors.CorruptError, match=r"line 2: no utf-8: invalid start byte \(byte 0xff at byte 9"):
        next(reader)
    skipping = lines(path, errors="skip")
    assert list(skipping) == ["good", "also good"]
    assert [(row.line, row.byte) for row in skipping.report] == [(2, 5)]
    assert list(lines(path, errors="replace"))[1] == "bad \ufffd"
    assert list(lines(path, errors="surrogateescape"))[1].encode(errors="surrogateescape") == b"bad \xff"
    with pytest.raises(errors.UsageError, match="errors="):
        lines(path, errors="whatever")


def test_a_line_that_is_too_long(write):
    """It is refused with its number and byte, after the lines before it."""
    reader = lines(write(b"a\n" + b"x" * 5000 + b"\nb\n"), "1 KiB")
    assert next(reader) == "a"
    with pytest.raises(errors.LimitReached, match=r"line 2, which begins at byte 2, is longer than 1\.0 KiB"):
        next(reader)


def test_compressed_ranges_and_workers(write):
    """Compressed lines read alike; ranges can be pickled; UTF-16 has none."""
    data = b"".join(b"%d\n" % number for number in range(10_000))
    expected = [str(number) for number in range(10_000)]
    assert list(lines(write(gzip.compress(data)))) == expected
    parts = pickle.loads(pickle.dumps(lines(write(data)).ranges(5)))
    assert [line for part in parts for line in part] == expected
    with pytest.raises(errors.UsageError, match="from the middle"):  # noqa: PT012 - the loop is what raises
        for part in lines(write("a\nb\n".encode("utf-16"))).ranges(2):
            list(part)


def test_position_is_a_place_to_go_on_from(write):
    """At the end of what was read it is the byte of the next line."""
    path = write(b"one\ntwo\n")
    with lines(path) as reader:
        assert list(reader) == ["one", "two"]
        assert reader.position == 8


def test_budget_and_coroutines(write):
    """It promises its bytes while it is open; `async for` gives the same lines."""
    path = write(b"one\ntwo\n")
    budget = fw.Budget("64 MiB")
    with budget, lines(path) as reader:
        assert budget.held == reader.bytes_max()
        assert next(reader) == "one"
    assert budget.held == 0

    async def read():
        return [line async for line in lines(path)]

    assert asyncio.run(read()) == ["one", "two"]


def test_what_it_holds_is_within_its_bound(write):
    """A text of the shortest and the widest lines takes no more than `bytes_max()`."""
    import tracemalloc

    path = write(("a\n" * 300_000 + "🌊" + "x" * 200_000 + "\n" + "yz\n" * 200_000).encode())
    with lines(path, "256 KiB") as reader:
        tracemalloc.start()
        try:
            assert sum(1 for _ in reader) == 500_001
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak <= reader.bytes_max()


def test_utf_16_that_is_broken(write):
    """It is told with its line, after the lines before it; or passed over and reported; its byte is that of the file."""
    path = write("good\n".encode("utf-16") + b"\x00\xd8" + "bad\nlast\n".encode("utf-16-le"))
    reader = lines(path)
    assert next(reader) == "good"
    with pytest.raises(errors.CorruptError, match=r"line 2: no utf-16-le .*illegal UTF-16 surrogate at byte 12"):
        next(reader)
    skipping = lines(path, errors="skip")
    assert list(skipping) == ["good", "last"]
    assert [(row.line, row.byte) for row in skipping.report] == [(2, -1)]
    assert list(lines(path, errors="replace")) == ["good", "\ufffdbad", "last"]
    with pytest.raises(errors.LimitReached, match=r"line 1 is longer than 2 B"):
        list(lines(path, 2))


def test_a_reader_from_a_byte_on_knows_its_place(tmp_path):
    """Before its first line is used it stands where that begins, and not at the byte before, which it only looks at."""
    (tmp_path / "in.txt").write_text("a\n\n\nb\nc\n")
    for byte, rest in ((2, ["", "", "b", "c"]), (3, ["", "b", "c"]), (4, ["b", "c"]), (6, ["c"])):
        reader = lines(tmp_path / "in.txt", offset=byte)
        batches = reader.lists()
        first = next(batches)
        assert reader.position == byte
        assert first + [line for batch in batches for line in batch] == rest
        assert list(lines(tmp_path / "in.txt").since(byte)) == rest
