from __future__ import annotations

import csv
import datetime as dt
import io
import random

import msgspec
import pytest

from flatwater import errors, limits
from flatwater.source import records


class Row(msgspec.Struct):
    id: int
    name: str = "-"
    size: float | None = None
    day: dt.date = dt.date(2000, 1, 1)
    on: bool = False


def test_text_becomes_values(write):
    """Fields are turned into what the schema says; an empty one is None, its default, or an empty text."""
    path = write("id,name,size,day,on,more\n1,a,2.5,2024-02-29,true,x\n2,,,,,\n", "a.csv")
    assert list(records(path, Row)) == [
        Row(1, "a", 2.5, dt.date(2024, 2, 29), on=True), Row(2, "", None),
    ]  # fmt: skip


def test_numbers_between_spaces(write):
    """Spaces around what is no text are no part of it; those of a text are; the rest of a bad row's table comes."""
    path = write("id,name,size\n    7, a , 2.5\n x ,b,1\n  8 ,c,\n", "a.csv")
    rows = records(path, Row, on_error="skip")
    assert list(rows) == [Row(7, " a ", 2.5), Row(8, "c", None)]
    assert rows.report.count == 1


@pytest.mark.parametrize("window", [3, 64])
@pytest.mark.parametrize("seed", range(10))
def test_the_same_as_pythons_csv(write, monkeypatch, window, seed):
    """Quotes, ends of lines in them and blank lines come out as Python's csv reads them, whatever is read at a time."""
    monkeypatch.setattr(limits, "FILES_LINE_WINDOW_BYTES", window)
    chance = random.Random(seed)
    table = [["a", "b"]]
    for _ in range(chance.randrange(30)):
        table.append(["".join(chance.choice('x"\n,\r é') for _ in range(chance.randrange(6))) for _ in "ab"])  # noqa: PERF401 - the loop is what is tested
    file = io.StringIO(newline="")
    csv.writer(file, quoting=chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])).writerows(table)
    path = write(file.getvalue(), "a.csv")
    expected = [row for row in csv.reader(io.StringIO(file.getvalue(), newline="")) if row]
    assert [list(row.values()) for row in records(path, dict)] == expected[1:]


def test_bad_rows(write):
    """Rows of the wrong width or type are told with the line and byte at which they begin, also behind quoted lines."""
    text = 'id,name\n1,"a\nb"\n2\nx,y\n3,"c\n\n"\n4,d,e\n5,z\n'
    reader = records(write(text, "a.csv"), Row, on_error="skip")
    assert [row.id for row in reader] == [1, 3, 5]
    assert [(row.line, text[row.byte :].partition("\n")[0]) for row in reader.report] == [
        (4, "2"),
        (5, "x,y"),
        (9, "4,d,e"),
    ]
    reader = records(write(text, "a.csv"), Row)
    assert next(reader).id == 1
    with pytest.raises(errors.CorruptError, match=r"line 4, byte 16: 1 fields where the header has 2"):
        next(reader)


@pytest.mark.parametrize("longest", ["1 KiB", "200 KiB"])
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_quote_that_is_never_closed(write, longest, on_error):
    """It takes no more than the bound, and ends the reading: what follows it cannot be told."""
    path = write('id,name\n0,a\n1,"' + "x\n" * 400_000, "a.csv")
    with pytest.raises(errors.LimitReached, match="a quote is not closed"):
        list(records(path, Row, longest=longest, on_error=on_error))


def test_headers(write):
    """The names come from the file, the schema, or the caller; and a column that is needed must be there."""
    body = "1,a\n2,b\n"
    expected = [Row(1, "a"), Row(2, "b")]
    two = write(body, "a.csv")

    class Two(msgspec.Struct):
        id: int
        name: str

    assert [row.name for row in records(two, Two, header=False)] == ["a", "b"]
    assert list(records(two, Row, header=["id", "name"])) == expected
    with pytest.raises(errors.CorruptError, match="has no column 'id', which Row requires; it has 1, a"):
        list(records(two, Row))
    with pytest.raises(errors.UsageError, match="no names of its own"):
        list(records(two, dict, header=False))
    with pytest.raises(errors.CorruptError, match="is empty"):
        list(records(write("", "a.csv"), Row))
    assert list(records(write("\n\nid\n", "a.csv"), Row)) == []


def test_dialects(write):
    """Tabs by the suffix, other delimiters and quotes by arguments; nonsense is refused."""
    assert list(records(write("id\tname\n1\ta,b\n", "a.tsv"), Row)) == [Row(1, "a,b")]
    assert list(records(write("id;name\n1;'a;b'\n", "a.csv"), Row, csv={"delimiter": ";", "quotechar": "'"})) == [
        Row(1, "a;b")
    ]
    for options, what in (({"delimiter": "ab"}, "delimiter"), ({"sep": ";"}, "sep")):
        with pytest.raises(errors.UsageError, match=what):
            records(write("", "a.csv"), Row, csv=options)


def test_long_fields_and_other_encodings(write):
    """A field beyond Python's own limit passes up to `longest`; UTF-16 and bad bytes are as for lines."""
    path = write("id,name\n1," + "x" * 300_000 + "\n", "a.csv")
    assert len(next(iter(list(records(path, Row)))).name) == 300_000
    assert list(records(write("id,name\n1,é\n".encode("utf-16"), "a.csv"), Row)) == [Row(1, "é")]
    with pytest.raises(errors.CorruptError, match=r"line 2, byte 8: no utf-8: .* at byte 10 of the text"):
        list(records(write(b"id,name\n1,\xff\n", "a.csv"), Row))
    assert list(records(write(b"id,name\n1,\xff\n", "a.csv"), Row, errors="replace")) == [Row(1, "\ufffd")]


def test_records_of_many_lines(write):
    """Records whose lines lie across the borders of all windows are no longer than they are, and give no memory back late."""
    table = [(number, "\n".join(f"line {line}" for line in range(300))) for number in range(600)]
    text = "id,name\n" + "".join(f'{number},"{name}"\n' for number, name in table) + "x,y\n"
    assert len(text) > 1 << 20
    rows = records(write(text, "a.csv"), Row, on_error="skip", longest="64 KiB")
    assert [(row.id, row.name) for row in rows] == table
    assert [(row.line, text[row.byte :]) for row in rows.report] == [(1 + 600 * 300 + 1, "x,y\n")]


def test_a_quote_that_is_not_closed_at_the_end(write):
    """The record is refused with the line and byte at which it begins: it would be the rest of the file."""
    path = write('id,name\n0,a\n1,"b\n2,c\n', "a.csv")
    rows = records(path, Row, on_error="skip")
    assert list(rows) == [Row(0, "a")]
    assert [row[1:] for row in rows.report] == [(3, 12, "a quote is not closed before the end of the file")]
    with pytest.raises(errors.CorruptError, match="line 3, byte 12: a quote is not closed"):
        list(records(path, Row))
    with pytest.raises(errors.CorruptError, match=r"line 1: the header cannot be read: a quote is not closed"):
        list(records(write('"id","name\n0,a\n1,b\n', "a.csv"), dict, on_error="skip"))


@pytest.mark.parametrize("window", [16, 32_768])
def test_lines_that_are_passed_over(write, monkeypatch, window):
    """Places stay right behind them; a record that lost one is refused, and so is a header."""
    monkeypatch.setattr(limits, "FILES_LINE_WINDOW_BYTES", window)
    long = "L" * 300
    text = f'id,name\n1,"a\n{long}\nb"\n2,c\n3,{long}\nx,d\n4,e\n'
    rows = records(write(text, "a.csv"), Row, on_error="skip", longest=100)
    assert list(rows) == [Row(2, "c"), Row(4, "e")]
    assert [(row.line, row.reason[:6]) for row in rows.report] == [
        (3, "longer"),
        (2, "a line"),
        (6, "longer"),
        (7, "Expect"),
    ]
    assert all(text[: row.byte].count("\n") == row.line - 1 for row in rows.report)
    with pytest.raises(errors.CorruptError, match=r"line 2: the header cannot be read: .*longer than 100 B"):
        list(records(write(f"id,{long}\n1,2\n", "a.csv"), dict, on_error="skip", longest=100))


def test_bytes_that_are_no_text(write):
    """They make a bad row, not a bad file; rows before them come first; in a header there is no telling."""
    data = b"id,name\n1,a\n2,\xff\n3,b\n4,\xfe\n"
    path = write(data, "a.csv")
    rows = records(path, Row, on_error="skip")
    assert [row.id for row in rows] == [1, 3]
    assert [(row.line, data[row.byte : row.byte + 1]) for row in rows.report] == [(3, b"2"), (5, b"4")]
    assert "byte 0xff at byte 14 of the text" in rows.report.rows[0].reason
    assert "no utf-8 (byte 0xfe)" in rows.report.rows[1].reason
    reader = records(path, Row)
    assert next(reader).id == 1
    with pytest.raises(errors.CorruptError, match="line 3, byte 12: no utf-8"):
        next(reader)
    with pytest.raises(errors.CorruptError, match="line 1: the header cannot be read: no utf-8"):
        list(records(write(b"id,\xff\n1,2\n", "a.csv"), dict, on_error="skip"))


def test_rows_before_what_breaks_off(write):
    """Rows that were complete before a quote that is never closed come before the error."""
    reader = records(write('id,name\n0,a\n1,"' + "x\n" * 400_000, "a.csv"), Row, longest="1 KiB")
    assert next(reader) == Row(0, "a")
    with pytest.raises(errors.LimitReached, match="a quote is not closed"):
        next(reader)


def test_types_by_quotes(write):
    """Python's QUOTE_NONNUMERIC guesses, and the schema does not: it is refused."""
    with pytest.raises(errors.UsageError, match="QUOTE_NONNUMERIC"):
        records(write("", "a.csv"), Row, csv={"quoting": csv.QUOTE_NONNUMERIC})
