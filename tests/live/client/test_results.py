"""Rows of a client's statements: streamed, in their forms, and never fewer than there are."""

import asyncio
import gc
import json

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.budget.budget import Budget

ROWS = 3_000


@pytest.fixture
def many(database):
    database.load("notes", ({"id": number, "body": "ä" * 200} for number in range(ROWS)), user="ada")


def test_forms(client, many):
    """Dicts, lines and Arrow batches give the same rows."""
    dicts = list(client.sql("SELECT * FROM notes"))
    assert [row["id"] for row in dicts] == list(range(ROWS))
    lines = list(client.sql("SELECT * FROM notes").json())
    assert all(line.endswith(b"\n") for line in lines)
    assert [json.loads(line) for line in lines] == dicts
    for arrow in (True, False):
        batches = list(client.sql("SELECT * FROM notes", arrow=arrow).arrow())
        assert [row for batch in batches for row in batch.to_pylist()] == dicts
    assert list(client.sql("SELECT * FROM notes WHERE id < 0", arrow=True).arrow()) == []


def test_forms_for_coroutines(served, many):
    """The same for coroutines."""

    async def run():
        async with fw.AsyncClient(served.url, token=served.token()) as client:
            rows = await client.sql("SELECT * FROM notes")
            dicts = [row async for row in rows]
            assert rows.columns == ("id", "body")
            lines = [json.loads(line) async for line in (await client.sql("SELECT * FROM notes")).json()]
            for arrow in (True, False):
                batches = [batch async for batch in (await client.sql("SELECT * FROM notes", arrow=arrow)).arrow()]
                assert [row for batch in batches for row in batch.to_pylist()] == dicts
            assert lines == dicts
            assert len(dicts) == ROWS
            assert [tuple(row) async for row in await client.sql("SHOW TABLES")]

    asyncio.run(run())


def test_what_is_known_of_it(client, many):
    """Columns are known at once, also where there is no row, and so are counts of changes."""
    assert client.sql("SELECT id FROM notes WHERE id < 0").columns == ("id",)
    assert client.sql("SELECT id FROM notes", arrow=True).columns == ("id",)
    rows = client.sql("SELECT body, id FROM notes")
    assert (rows.columns, rows.count) == (("body", "id"), -1)
    next(rows)
    assert rows.columns == ("body", "id")
    assert "body" in repr(rows)
    changed = client.sql("DELETE FROM notes WHERE id < 10")
    assert (changed.columns, changed.count, list(changed)) == ((), 10, [])
    assert "10 rows" in repr(changed)


def test_rows_are_read_once(client, many):
    """In one form, once; a result that was asked for as Arrow is read as Arrow, and a change gives none."""
    rows = client.sql("SELECT * FROM notes")
    next(rows)
    for again in (rows.json, rows.arrow):
        with pytest.raises(errors.UsageError, match="once"):
            again()
    rows.close()
    assert list(rows) == []
    with pytest.raises(errors.UsageError, match="Arrow was asked for"):
        next(client.sql("SELECT * FROM notes", arrow=True))
    with pytest.raises(errors.UsageError, match="no Arrow"):
        client.sql("DELETE FROM notes WHERE id < 0").arrow()


def test_bytes_are_given_back(served, many):
    """At the end, by close, and when a result is dropped in the middle, its bytes and its connection are given back."""
    with Budget("16 MiB") as budget, fw.Client(served.url, token=served.token()) as client:
        for end in range(4 * 32):
            rows = client.sql("SELECT * FROM notes")
            next(rows)
            if end % 2:
                rows.close()
            del rows
            gc.collect()
            assert budget.held == 0
        with client.sql("SELECT * FROM notes") as rows:
            next(rows)
            assert 0 < budget.held <= client.bytes_max(subscriptions=0)
        assert budget.held == 0


def test_results_that_stay_open(served, client, many, monkeypatch):
    """More open results than connections are refused with a word about it."""
    monkeypatch.setattr("flatwater.limits.CLIENT_HTTP_MAX", 2)
    with fw.Client(served.url, token=served.token(), timeout_s=0.3) as small:
        opened = [small.sql("SELECT * FROM notes") for _ in range(2)]
        for rows in opened:
            next(rows)
        with pytest.raises(errors.LimitReached, match="2 results of this client are open"):
            small.sql("SELECT * FROM notes")
        for rows in opened:
            rows.close()
        assert len(list(small.sql("SELECT * FROM notes"))) == ROWS


@pytest.mark.parametrize("left", [1, 400, 5_000, 100_000, 300_000])
@pytest.mark.parametrize("form", ["dicts", "lines", "arrow"])
def test_a_body_that_is_cut(served, proxy, client_of, many, quick, left, form):
    """Rows that are missing are an error, in each form, wherever it is cut; a cut before the first row is tried again."""
    client = client_of(proxy.url, token=served.token())
    proxy.left = left

    def read():
        rows = client.sql("SELECT * FROM notes", arrow=form == "arrow")
        if form == "arrow":
            return sum(batch.num_rows for batch in rows.arrow())
        return len(list(rows if form == "dicts" else rows.json()))

    if left == 1:
        assert read() == ROWS
    else:
        with pytest.raises(errors.BrokenError, match=r"cut|broke"):
            read()
    assert proxy.cuts == 1
    assert read() == ROWS


def test_a_body_that_is_cut_for_coroutines(served, proxy, many):
    """The same for coroutines."""

    async def run():
        async with fw.AsyncClient(proxy.url, token=served.token()) as client:
            for arrow in (False, True):
                proxy.left = 100_000
                rows = await client.sql("SELECT * FROM notes", arrow=arrow)
                with pytest.raises(errors.BrokenError, match="cut"):
                    _ = [each async for each in (rows.arrow() if arrow else rows)]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("body", "options"),
    [
        (b"no JSON\n", {}), (b"[1]\n", {}), (b"\xff\n", {}), (b'{"id": 1}', {}), (b"", {"kind": "text/html"}), (b'{"id": 1}\n', {"size": -1}),
        (b'{"id": 1}\n', {"size": 100}), (b"x", {"head": "Content-Encoding: gzip\r\n"}), (b"[" * 100_000 + b"\n", {}),
    ],
)  # fmt: skip
def test_answers_that_make_no_sense(canned, client_of, answer, quick, body, options):
    """Are errors: of another form, compressed, without an end, no JSON."""
    with pytest.raises(errors.BrokenError):
        list(client_of(canned(answer(body, **options)).url, token="t").sql("SELECT 1"))


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"columns": [], "rows": 5}', b'{"columns": [], "rows": [', b"\xff"]
)
def test_answers_to_changes_that_make_no_sense(canned, client_of, answer, body):
    """Are errors, too."""
    with pytest.raises(errors.BrokenError):
        client_of(canned(answer(body, kind="application/json")).url, token="t").sql("DELETE FROM a")


def test_an_error_behind_rows(canned, client_of, answer):
    """An error at the end of JSON is raised."""
    body = b'{"columns": ["a"], "rows": [{"a": 1}], "count": null, "error": {"code": "limit_reached", "message": "too many."}}'
    with pytest.raises(errors.LimitReached, match="too many"):
        client_of(canned(answer(body, kind="application/json")).url, token="t").sql("SHOW TABLES")


def test_answers_that_are_too_large(canned, client_of, answer, monkeypatch):
    """A row, an answer, a part of Arrow's that is larger than it may be is refused, and says which bound it is."""
    long = canned(answer(b'{"a": "' + b"x" * 200_000 + b'"}\n'))
    with pytest.raises(errors.LimitReached, match="larger row_bytes"):
        list(client_of(long.url, token="t", row_bytes="64 KiB").sql("SELECT 1"))
    assert len(list(client_of(long.url, token="t").sql("SELECT 1"))) == 1
    monkeypatch.setattr("flatwater.limits.CLIENT_ANSWER_BYTES", 1_000)
    whole = canned(answer(b'{"columns": [], "rows": []}' + b" " * 1_000, kind="application/json"))
    with pytest.raises(errors.LimitReached):
        client_of(whole.url, token="t").sql("DELETE FROM a")
    arrow = canned(answer(b"\xff\xff\xff\xff\xff\xff\xff\x7f", kind="application/vnd.apache.arrow.stream"))
    with pytest.raises((errors.LimitReached, errors.BrokenError)):
        list(client_of(arrow.url, token="t").sql("SELECT 1", arrow=True).arrow())


def test_columns_that_come_with_the_first_row(client, many, monkeypatch):
    """Names that are too long for a header are known from the first row on."""
    monkeypatch.setattr("flatwater.limits.SERVE_COLUMNS_BYTES", 5)
    rows = client.sql("SELECT body, id FROM notes")
    assert rows.columns == ()
    next(rows)
    assert rows.columns == ("body", "id")


def test_names_of_any_letters(client, many):
    """Names of columns come as they are."""
    rows = client.sql('SELECT id AS "größe, \n""x""" FROM notes')
    assert rows.columns == ('größe, \n"x"',)
    assert tuple(next(rows)) == rows.columns
