"""Plans on all three databases: each page seeks in an index and sorts nothing, or the order is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flatwater import errors

sys.path.insert(0, str(Path(__file__).parent))

from worlds import mariadb, postgres, world  # noqa: F401 - fixtures

SIZES = (0, 1, pytest.param(20_000, marks=pytest.mark.slow))
COLUMNS = "id INT NOT NULL PRIMARY KEY, a INT NOT NULL, b VARCHAR(20) NOT NULL, n INT, free INT NOT NULL"
INDEXES = ("ab ON {t} (a, b, id)", "n_id ON {t} (n, id)", "mixed ON {t} (a DESC, b, id)", "b_only ON {t} (b)")
ORDERS = ("id", "-id", "a, b", "-a, -b, -id", "-a, b, id", "a, -b", "n", "-n, -id", "n, id")
REFUSED = ("free", "-free, id", "n, -id", "b, a", "free, a, b")


@pytest.fixture(scope="module")
def made():
    """Tables that are there by now."""
    return set()


@pytest.fixture
def filled(world, made):  # noqa: F811 - the fixture
    """A database with tables of 0 and 1 rows, and of any size that is asked for, with the same indexes."""

    def table_of(size):
        name = f"t{size}"
        if (world.source, size) in made:
            return name
        made.add((world.source, size))
        world.run(f"CREATE TABLE {name} ({COLUMNS})")
        if size:
            null = "CASE WHEN i % 3 = 0 THEN NULL ELSE i % 50 END"
            text = "CONCAT('b', i % 7)" if world.kind == "mariadb" else "'b' || (i % 7)"
            world.fill(name, f"i, i % 10, {text}, {null}, i % 1000", size)
        ways = [f"CREATE INDEX {name}_{text.format(t=name)}" for text in INDEXES]
        world.run(*ways, *(["ANALYZE"] if world.kind == "postgres" else []))
        return name

    world.table_of = table_of
    return world


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("order_by", ORDERS)
def test_an_order_with_an_index_is_served(filled, size, order_by):
    """Whatever the size, each page seeks in an index: no scan, no sort, no OFFSET."""
    table = filled.table(filled.table_of(size))
    told = table.explain(order_by=order_by)
    assert told.is_served, str(told)
    assert told.sql
    text = str(told).upper()
    assert "OFFSET" not in text
    assert "SEQ SCAN" not in text
    assert "TEMP B-TREE" not in text
    assert "FILESORT" not in text
    for plan in told.plan:
        assert {"sqlite": "SEARCH", "postgres": "index cond", "mariadb": "key"}[filled.kind] in plan
    assert sum(1 for _ in table.find_each(order_by=order_by, start=None, finish=None, as_=tuple)) == size


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("order_by", REFUSED)
def test_an_order_without_an_index_is_refused(filled, size, order_by):
    """Whatever the size, also of a table without rows, an order that no index serves is refused, with the line that makes one."""
    with pytest.raises(errors.UsageError, match="no index of") as caught:
        filled.table(filled.table_of(size)).find_each(order_by=order_by)
    assert "CREATE INDEX" in caught.value.hint
    assert "allow_scan=True" in caught.value.hint
    assert not filled.table(filled.table_of(size)).explain(order_by=order_by).is_served


def line_of(caught):
    return caught.value.hint.partition(";")[0]


@pytest.mark.parametrize("size", [0, pytest.param(1, marks=pytest.mark.slow), SIZES[-1]])
def test_the_line_of_the_refusal_makes_the_order_served(filled, size):
    """CREATE INDEX, as the refusal writes it, can be run, and then the order is served; mixed directions too."""
    name = f"r{size}"
    filled.run(f"CREATE TABLE {name} ({COLUMNS})", f"INSERT INTO {name} SELECT * FROM {filled.table_of(size)}")
    for order_by in ("free", "-free, b", "b desc, free", "-free, -n, a"):
        with pytest.raises(errors.UsageError, match="no index of") as caught:
            filled.table(name).find_each(order_by=order_by)
        filled.run(line_of(caught))
        table = filled.table(name)
        assert table.explain(order_by=order_by).is_served, str(table.explain(order_by=order_by))
        assert sum(1 for _ in table.pluck("id", order_by=order_by)) == size


def test_hostile_names_in_the_line(filled):
    """Names with quotes, percent signs and spaces, and long ones, make a line that runs."""
    quote = filled.quote
    name, column = "100% o'clock", f"a{quote}b; --{'x' * 40}"
    quoted = [quote + each.replace(quote, quote * 2) + quote for each in (name, column)]
    filled.run(f"CREATE TABLE {quoted[0]} (id INT NOT NULL PRIMARY KEY, {quoted[1]} INT NOT NULL)")
    with pytest.raises(errors.UsageError, match="no index of") as caught:
        filled.table(name).find_each(order_by=[column])
    line = caught.value.hint[: caught.value.hint.rindex("; or pass")]
    filled.run(line)
    assert filled.table(name).explain(order_by=[column]).is_served


def test_a_name_with_its_schema(filled):
    """A table named with its schema is explained, refused and served as well."""
    if filled.kind == "sqlite":
        filled.run("CREATE TABLE shop (id INTEGER PRIMARY KEY, x INT NOT NULL)")
        name = "main.shop"
    elif filled.kind == "postgres":
        filled.run("CREATE SCHEMA far", "CREATE TABLE far.shop (id INT PRIMARY KEY, x INT NOT NULL)")
        name = "far.shop"
    else:
        ((database,),) = filled.all("SELECT DATABASE()")
        filled.run("CREATE TABLE shop (id INT PRIMARY KEY, x INT NOT NULL)")
        name = f"{database}.shop"
    table = filled.table(name)
    assert table.explain().is_served
    with pytest.raises(errors.UsageError, match="no index of") as caught:
        table.find_each(order_by="x")
    filled.run(line_of(caught))
    assert filled.table(name).explain(order_by="x").is_served


def test_a_select_with_a_where(filled):
    """A select over one table is flattened by the database: its pages seek as well; without an index it is refused."""
    name = filled.table_of(500)
    table = filled.table(f"SELECT id, a, b, n FROM {name} WHERE a > 3", key="id")
    assert table.explain().is_served, str(table.explain())
    assert table.explain(order_by="a, b, id").is_served
    wanted = [key for (key,) in filled.all(f"SELECT id FROM {name} WHERE a > 3 AND n < 5 ORDER BY a, b, id")]
    where = filled.table(f"SELECT id, a, b, n FROM {name} WHERE a > 3", key="id", where="n < 5")
    assert list(where.pluck("id", order_by="a, b, id", batch_rows=100)) == wanted
    grouped = filled.table(f"SELECT a, count(*) AS c FROM {name} GROUP BY a", key="a")
    assert not grouped.explain(order_by="c").is_served


def test_the_line_for_a_select(filled):
    """A select of plain columns of one table gets a line that runs; any other gets one to fill in."""
    filled.run(f"CREATE TABLE base ({COLUMNS})", "INSERT INTO base VALUES (1, 2, 'b', 3, 4)")
    select = filled.table("SELECT id, free FROM base WHERE a > 1", key="id")
    with pytest.raises(errors.UsageError, match="no index of") as caught:
        select.find_each(order_by="-free, id")
    filled.run(line_of(caught))
    assert list(filled.table("SELECT id, free FROM base WHERE a > 1", key="id").pluck("id", order_by="-free, id")) == [
        1
    ]
    other = filled.table("SELECT id, a + free AS both_ FROM base", key="id")
    with pytest.raises(errors.UsageError, match="no index of") as caught:
        other.find_each(order_by="both_")
    assert "the_table" in line_of(caught)


def test_a_wrong_select_says_what_the_database_says(filled):
    """A select that is no SQL is a UsageError with the database's words."""
    for text in ("SELECT nothing FROM t1", "SELECT FROM WHERE", "SELECT * FROM no_such_table"):
        with pytest.raises(errors.UsageError):
            filled.table(text, key="id").find_each()


def test_explanations_are_readable(filled):
    """The text has each statement with its plan below, whether an index serves, and the bytes."""
    served, not_served = (
        str(filled.table(filled.table_of(1)).explain(order_by=order_by)) for order_by in ("id", "free")
    )
    assert "An index serves this order." in served
    assert "No index serves this order. CREATE INDEX" in not_served
    assert "A pass holds at most" in served
