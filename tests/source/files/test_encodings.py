from __future__ import annotations

import io

import pytest

from flatwater import errors
from flatwater.source.files.encodings import (
    MARKING,
    Transcoded,
    checked_encoding,
    marked,
    marked_bytes,
    splits_as_bytes,
)
from flatwater.source.files.opening import Borrowed

TEXT = "één 🌊 línea\n" * 20_000


@pytest.mark.parametrize("encoding", ["nothing", "rot13", "base64", 5])
def test_what_is_no_encoding(encoding):
    """Unknown names, and codecs that are not of text, are refused."""
    with pytest.raises(errors.UsageError, match="is not known"):
        checked_encoding(encoding)


@pytest.mark.parametrize(
    "encoding", ["ascii", "utf-8", "iso8859-1", "cp1252", "koi8-r", "shift_jis", "gb18030", "euc_jp", "big5"]
)
def test_those_whose_lines_are_bytes(encoding):
    """In these a byte 0x0A is the end of a line, whatever letter is around it."""
    assert splits_as_bytes(encoding)
    for code in range(0x20, 0x3000):
        try:
            packed = chr(code).encode(encoding)
        except UnicodeEncodeError:
            continue
        assert b"\n" not in packed


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32-be", "utf-7", "cp037", "hz", "iso2022_jp"])
def test_those_whose_lines_are_not(encoding):
    """These are turned into UTF-8 first."""
    assert not splits_as_bytes(encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_turning_into_utf_8(encoding):
    """The text is the same, however the letters lie across blocks."""
    raw = Transcoded(Borrowed(io.BytesIO(TEXT.encode(encoding))), encoding, "strict", "name", 0)
    got = b""
    while data := raw.read(1001):
        got += data
    assert got.decode() == TEXT


def test_broken_text_has_its_byte():
    """What is no text is told with its byte in the file, and stands in the UTF-8 as bytes that are none."""
    data = TEXT.encode("utf-16-le")[:100_000] + b"\x00\xd8a\x00" + b"b\x00"
    raw = Transcoded(Borrowed(io.BytesIO(data)), "utf-16-le", "strict", "name", 2)
    found = b"".join(iter(lambda: raw.read(4096), b""))
    assert raw.wrong == "illegal UTF-16 surrogate at byte 100002"
    with pytest.raises(UnicodeDecodeError) as caught:
        found.decode()
    assert found[: caught.value.start].decode() == data[:100_000].decode("utf-16-le")
    assert found.endswith(b"b")
    assert marked_bytes(found.decode("utf-8", MARKING))
    with pytest.raises(errors.CorruptError, match="at byte 100002"):  # noqa: PT012 - the loop is what raises
        raw = Transcoded(Borrowed(io.BytesIO(data)), "utf-16-le", "surrogateescape", "name", 2)
        while raw.read(4096):
            pass


def test_marks():
    """A mark counts where one of Unicode's encodings was asked for, and is data elsewhere."""
    assert marked(b"\xff\xfe\0\0", "utf-8") == ("utf-32-le", 4)
    assert marked(b"\xfe\xff\0a", "utf-8") == ("utf-16-be", 2)
    assert marked(b"\xff\xfe", "iso8859-1") == ("iso8859-1", 0)
    assert marked(b"a\0", "utf-16") == ("utf-16-le", 0)
