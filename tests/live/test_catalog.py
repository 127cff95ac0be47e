"""Namespaces, tables and users on disk."""

import pytest

from flatwater import errors
from flatwater.live.access import Limits
from flatwater.live.catalog import Catalog, UserRecord, check_name
from flatwater.live.schema import SHARED, Column, Schema
from flatwater.live.types import Type
from flatwater.store.store import Store


@pytest.fixture
def entries(tmp_path):
    """The partition of a catalog."""
    with Store(tmp_path / "s", sync="off") as store:
        yield store.partition("live.catalog")


def schema(number, name="t"):
    columns = [
        Column("id", Type("BIGINT"), is_required=True),
        Column("at", Type("DATE"), default=Type("DATE").take("2026-01-02", "at")),
        Column("n", Type("DECIMAL", 5, 2)),
    ]
    return Schema(number, "main", name, SHARED, columns, ["id"], access="PUBLIC")


def test_tables_come_back(entries):
    """Another object reads what one wrote: columns, types, defaults, numbers that are never used again."""
    catalog = Catalog(entries)
    first = catalog.make_table("main", "t", schema)
    second = catalog.make_table("main", "u", lambda number: schema(number, "u"))
    catalog.drop_table(second)
    again = Catalog(entries)
    found = again.table("main", "t")
    assert (found.number, found.columns, found.key, found.access) == (first.number, first.columns, ("id",), "PUBLIC")
    assert again.numbered(first.number).name == "t"
    assert again.numbered(second.number) is None
    assert again.dropped() == [(second.number, SHARED)]
    assert again.make_table("main", "u", lambda number: schema(number, "u")).number > second.number
    again.forget(second.number)
    assert again.dropped() == []
    with pytest.raises(errors.UsageError, match=r"no table main\.v"):
        again.table("main", "v")


def test_many_tables_cost_no_more(entries):
    """Schemas in memory keep to their bytes, and those that had to go are read again."""
    catalog = Catalog(entries)
    for n in range(300):
        catalog.make_table("main", f"t{n:03d}", lambda number, n=n: schema(number, f"t{n:03d}"))
    assert catalog.held() <= 1 << 20
    assert catalog.table("main", "t000").name == "t000"
    assert len(list(catalog.names())) == 300


def test_namespaces(entries):
    """They are made, named and dropped; main and system are always there, and one with tables stays."""
    catalog = Catalog(entries)
    catalog.make_namespace("chat")
    assert list(catalog.namespaces()) == ["chat", "main"]
    catalog.drop_namespace("chat")
    assert not catalog.has_namespace("chat")
    catalog.make_table("main", "t", schema)
    for name in ("main", "system"):
        assert catalog.has_namespace(name)
        with pytest.raises(errors.UsageError):
            catalog.drop_namespace(name)


def test_users(entries):
    """Role and limits come back, and change the version that prepared statements go by."""
    catalog = Catalog(entries)
    before = catalog.version
    catalog.put_user("ada", UserRecord("dba", Limits(rows=5)))
    assert catalog.version > before
    assert Catalog(entries).user("ada") == UserRecord("dba", Limits(rows=5))
    assert [name for name, _record in catalog.users()] == ["ada"]
    catalog.drop_user("ada")
    assert catalog.user("ada") is None


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb", "a\x00", "\ud800", "é" * 51])
def test_what_is_no_name(name):
    """Names are short and can be printed."""
    with pytest.raises(errors.UsageError, match="no name of a table"):
        check_name(name, "table")
