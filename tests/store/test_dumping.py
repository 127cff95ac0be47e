"""store.dumping: every key and value in a line of JSON, exact in any form."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flatwater as fw
from flatwater import errors
from flatwater.store import dumping, loading

ELEMENTS = st.one_of(
    st.text(st.characters(codec=None)), st.binary(), st.integers(), st.floats(allow_nan=False), st.booleans(), st.none(),
    st.uuids(), st.datetimes(), st.datetimes(timezones=st.just(UTC)),
)  # fmt: skip
VALUES = st.one_of(
    st.binary(),
    st.text().map(str.encode),
    st.recursive(st.one_of(st.none(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(), st.binary()), st.lists).map(
        msgspec.msgpack.encode
    ),
    st.recursive(st.one_of(st.none(), st.integers(), st.floats(), st.text()), lambda inner: st.dictionaries(st.text(), inner)).map(
        lambda value: json.dumps(value, indent=1).encode()
    ),
)  # fmt: skip


@pytest.fixture
def store(tmp_path):
    with fw.Store(tmp_path / "store", sync="off") as opened:
        yield opened


def lines_of(store, **options):
    return b"".join(dumping.dump(store, **options)).splitlines()


def entries_of(store):
    found = {}
    for name in store.partitions():
        for batch in store.partition(name).batches():
            found |= {(name, tuple(map(repr, key))): value for key, value in batch}
    return found


@settings(deadline=None, max_examples=60)
@given(
    form=st.sampled_from(dumping.FORMS),
    pairs=st.lists(st.tuples(st.lists(ELEMENTS, min_size=1, max_size=3).map(tuple), VALUES), max_size=8),
)
def test_every_dump_is_exact(tmp_path_factory, form, pairs):
    """Whatever keys and values there are, in any form of values, what is loaded is what was dumped."""
    folder = tmp_path_factory.mktemp("exact")
    with fw.Store(folder / "one", sync="off") as one, fw.Store(folder / "two", sync="off") as two:
        for key, value in pairs:
            if sum(len(element) for element in key if isinstance(element, (str, bytes))) < 60:
                one.put(key, value)
        loading.Loading(two, lines_of(one, form=form)).run()
        assert entries_of(one) == entries_of(two)


def test_the_lines(store):
    """The first line says what it is, the last one how many there were, and in between each line is one entry."""
    store.partition("users").put(("ada", 1, 1.0, True, None), b"\xff")
    store.partition("roles").put(("x",), b"y")
    first, *entries, last = map(json.loads, lines_of(store))
    assert first == {"flatwater_dump": 1, "backend": "lmdb", "format": "base64"}
    assert entries == [
        {"partition": "roles", "key": ["x"], "value_base64": "eQ=="},
        {"partition": "users", "key": ["ada", 1, 1.0, True, None], "value_base64": "/w=="},
    ]
    assert last == {"flatwater_dump_end": 2}


@pytest.mark.parametrize(
    ("element", "told"),
    [
        ("é\x00", "é\x00"),
        ("\ud800", {"surrogates": "7aCA"}),
        (b"\xff", {"bytes": "/w=="}),
        (2**70, 2**70),
        (-0.5, -0.5),
        (float("inf"), {"float": "inf"}),
        (float("-inf"), {"float": "-inf"}),
        (UUID(int=1), {"uuid": "00000000-0000-0000-0000-000000000001"}),
        (datetime(2026, 1, 2, 3), {"datetime": "2026-01-02T03:00:00"}),  # noqa: DTZ001 - a naive one
        (datetime(2026, 1, 2, 3, tzinfo=UTC), {"datetime": "2026-01-02T03:00:00+00:00"}),
    ],
    ids=str,
)
def test_what_json_has_no_words_for(element, told):
    """Such an element is an object with one name; others are what they are."""
    assert list(dumping.told((element, "end"))) == [told, "end"]


@pytest.mark.parametrize(
    ("form", "value", "field"),
    [
        ("json", b'{"a": [1, 2.50]}', ("value", {"a": [1, 2.5]})),
        ("json", b"null", ("value", None)),
        ("json", b'{"a":\n1}', ("value_base64", "eyJhIjoKMX0=")),
        ("json", b" 1", ("value_base64", "IDE=")),
        ("json", b'1,"key":["other"]', ("value_base64", "MSwia2V5IjpbIm90aGVyIl0=")),
        ("json", b"", ("value_base64", "")),
        ("json", b'"\xff"', ("value_base64", "Iv8i")),
        ("msgpack", msgspec.msgpack.encode({"a": [1, None]}), ("value_msgpack", {"a": [1, None]})),
        ("msgpack", msgspec.msgpack.encode(b"raw"), ("value_base64", "xANyYXc=")),
        ("msgpack", msgspec.msgpack.encode({1: 2}), ("value_base64", "gQEC")),
        ("text", "naïve\n".encode(), ("value_text", "naïve\n")),
        ("text", b"\xff", ("value_base64", "/w==")),
    ],
    ids=repr,
)
def test_values_in_a_form_that_can_be_read(store, form, value, field):
    """A value that comes back as the same bytes is in the form that was asked for, any other in base64."""
    store.put(("a",), value)
    entry = json.loads(lines_of(store, form=form)[1])
    assert {field[0]: field[1]}.items() <= entry.items()
    assert len(entry) == 3


def test_some_partitions(store):
    """Only those that are named come, each once, however often it is named."""
    for name in ("a", "b", "c"):
        store.partition(name).put((name,), b"")
    lines = lines_of(store, names=["c", "a", "c"])
    assert [json.loads(line)["partition"] for line in lines[1:-1]] == ["c", "a"]


def test_what_is_not_there(store):
    """An unknown partition or form is refused before the first line, with those that there are."""
    store.put(("a",), b"")
    with pytest.raises(errors.UsageError, match=r"no partition .users.*It has .main."):
        dumping.dump(store, ["users"])
    with pytest.raises(errors.UsageError, match="base64, json"):
        dumping.dump(store, form="yaml")


def test_its_bytes_are_the_budgets(tmp_path):
    """What it holds is reserved while it is under way, and given back when it is dropped in the middle."""
    with fw.Budget("32 MiB") as budget, fw.Store(tmp_path / "store", sync="off") as store:
        store.write([((number,), bytes(1000)) for number in range(3000)])
        before = budget.held
        pieces = dumping.dump(store)
        next(pieces)
        assert len(next(pieces)) < dumping.dump_bytes_max()
        assert budget.held == before + dumping.dump_bytes_max()
        pieces.close()
        assert budget.held == before
    with fw.Budget("8 MiB"), fw.Store(tmp_path / "store") as store, pytest.raises(errors.BudgetExceeded):
        next(dumping.dump(store))


def test_it_goes_on_while_others_write(store):
    """Each batch is read by itself: writing between two of them is no trouble, and what was there all the time is there."""
    store.write([((number,), bytes(1000)) for number in range(3000)])
    pieces = dumping.dump(store)
    lines = []
    for piece in pieces:
        lines += piece.splitlines()
        store.write([((number,), None) for number in range(0, 3000, 2)])
    seen = {json.loads(line)["key"][0] for line in lines[1:-1]}
    assert seen >= set(range(1, 3000, 2))
    assert json.loads(lines[-1])["flatwater_dump_end"] == len(lines) - 2
