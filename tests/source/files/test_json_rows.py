from __future__ import annotations

import json
import random

import msgspec
import pytest

from flatwater import errors
from flatwater.source import records


class Row(msgspec.Struct):
    id: int
    name: str = ""


def test_rows_and_blank_lines(write):
    """Each line is a row; blank lines, ends of any kind and a missing last end are none."""
    path = write('{"id": 1}\r\n\n   \n{"id": 2, "name": "é\\n", "more": []}', "a.jsonl")
    assert list(records(path, Row)) == [Row(1), Row(2, "é\n")]


BAD = ['{"id": "x"}', "{", "null", '{"id": 1} {"id": 2}', "[" * 5000, '{"id": 1e999}', '{"id": 1}x', '"\ud800"']


@pytest.mark.parametrize("place", [0, 1, 500, 999])
def test_bad_rows_anywhere(write, place):
    """Each bad row is told with its line, byte and reason, and all others come."""
    texts = [json.dumps({"id": number}) for number in range(1000)]
    texts[place : place + 1] = BAD
    data = "\n".join(texts).encode("utf-8", "surrogatepass")
    reader = records(write(data, "a.jsonl"), Row, on_error="skip")
    assert [row.id for row in reader] == [number for number in range(1000) if number != place]
    assert [row.line for row in reader.report] == [place + 1 + number for number in range(len(BAD))]
    for row, text in zip(reader.report, BAD, strict=True):
        assert data[row.byte :].startswith(text.encode("utf-8", "surrogatepass"))
        assert row.reason


def test_the_rows_before_come_first(write):
    """With on_error="raise" all rows before the bad one are delivered, then it is told."""
    reader = records(write('{"id": 1}\n{"id": 2}\n{"id": null}\n{"id": 4}\n', "a.jsonl"), Row)
    assert [next(reader).id, next(reader).id] == [1, 2]
    with pytest.raises(errors.CorruptError, match=r"a\.jsonl, line 3, byte 20: Expected `int`, got `null`"):
        next(reader)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_other_encodings(write, encoding):
    """Rows in other encodings are the same."""
    path = write('{"id": 1, "name": "é"}\n'.encode(encoding), "a.jsonl")
    assert list(records(path, Row, encoding=encoding)) == [Row(1, "é")]


@pytest.mark.parametrize("seed", range(8))
def test_ranges(write, seed):
    """Split anywhere, each row comes once."""
    chance = random.Random(seed)
    texts = [json.dumps({"id": number, "name": "x" * chance.randrange(90)}) for number in range(200)]
    parts = records(write("\n".join(texts), "a.jsonl"), Row).ranges(chance.randrange(1, 40))
    assert [row.id for part in parts for row in part] == list(range(200))


def test_strictness(write):
    """Text is no number, unless strict=False."""
    path = write('{"id": "7"}', "a.jsonl")
    assert list(records(path, Row, strict=False)) == [Row(7)]
    with pytest.raises(errors.CorruptError):
        list(records(path, Row))


def test_utf_16_that_is_broken(write):
    """A line with bytes that are no text is told to be that, with the first such byte of the file."""
    data = '{"id": 1}\n'.encode("utf-16") + b"\x00\xd8" + '{"id": 2}\n{"id": 3}\n'.encode("utf-16-le")
    rows = records(write(data, "a.jsonl"), dict, on_error="skip")
    assert [row["id"] for row in rows] == [1, 3]
    assert [(row.line, row.byte) for row in rows.report] == [(2, -1)]
    assert "no utf-16-le (the first that is none in this file: illegal UTF-16 surrogate at byte 22)" in str(rows.report)
