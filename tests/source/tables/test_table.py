"""The verbs, over every kind of source."""

from __future__ import annotations

import asyncio
import dataclasses
import pickle
import uuid
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, TypedDict

import msgspec
import pydantic
import pytest

from flatwater import errors
from flatwater.budget.budget import Budget
from flatwater.source.tables.table import Table
from flatwater.source.tables.tokens import TokenRefused


def people(place, count=250):
    """A table of so many people; every tenth has no city."""
    place.run(
        f"CREATE TABLE people (id {place.key_type}, name VARCHAR(40) NOT NULL, city VARCHAR(40), born TIMESTAMP NULL)",
        "CREATE INDEX people_city ON people (city, id)",
    )
    rows = [
        (
            number,
            f"name {number}",
            None if number % 10 == 0 else f"city {number % 7}",
            f"2020-01-01 00:{number % 60:02}:00",
        )
        for number in range(1, count + 1)
    ]
    place.fill("INSERT INTO people VALUES (?, ?, ?, ?)", rows)
    return rows


def test_every_row_comes_once_and_in_the_order_of_the_key(place):
    """find_each gives all rows by their key, whatever the batch."""
    people(place)
    table = place.table("people")
    rows = list(table.find_each(batch_rows=7))
    assert [row["id"] for row in rows] == list(range(1, 251))
    assert rows[4] | {"born": None} == {"id": 5, "name": "name 5", "city": "city 5", "born": None}
    assert [len(batch) for batch in table.batches(batch_rows=100)] == [100, 100, 50]


def test_rows_become_what_is_asked_for(place):
    """Rows are dicts, tuples, dataclasses, structs, named tuples, typed dicts, models, plain classes, record batches."""
    people(place, 3)
    table = place.table("people")

    @dataclasses.dataclass(slots=True)
    class Data:
        id: int
        born: datetime
        city: str | None = None

    @dataclasses.dataclass(frozen=True)
    class Frozen:
        name: str
        id: int

        def __post_init__(self):
            assert self.name

    class Struct(msgspec.Struct, kw_only=True):
        id: int
        born: datetime
        nowhere: int = 9

    class Named(NamedTuple):
        id: int
        city: str | None

    class Typed(TypedDict):
        name: str

    class Plain:
        id: int
        city: str | None

    class Model(pydantic.BaseModel):
        id: int
        born: datetime

    born = datetime(2020, 1, 1, 0, 1)  # noqa: DTZ001 - as the database has it
    assert next(table.find_each(as_=tuple))[:3] == (1, "name 1", "city 1")
    assert next(table.find_each(as_=Data)) == Data(1, born, "city 1")
    assert next(table.find_each(as_=Frozen)) == Frozen("name 1", 1)
    assert next(table.find_each(as_=Struct)) == Struct(id=1, born=born)
    assert next(table.find_each(as_=Named)) == Named(1, "city 1")
    assert next(table.find_each(as_=Typed)) == {"name": "name 1"}
    assert vars(next(table.find_each(as_=Plain))) == {"id": 1, "city": "city 1"}
    assert next(table.find_each(as_=Model)) == Model(id=1, born=born)
    batch = next(table.batches(as_="arrow", columns=["id", "city"]))
    assert batch.to_pydict() == {"id": [1, 2, 3], "city": ["city 1", "city 2", "city 3"]}


def test_a_class_with_fields_that_the_table_has_not_is_refused(sqlite_place):
    """What a class wants and the table has not is named, with what was meant."""
    people(sqlite_place, 1)

    @dataclasses.dataclass
    class Wrong:
        id: int
        nam: str

    with pytest.raises(errors.UsageError, match=r"no column 'nam'.*'name'"):
        sqlite_place.table("people").find_each(as_=Wrong)
    for nothing in (int, 5, "rows", None):
        with pytest.raises(errors.UsageError, match="is no form of rows"):
            sqlite_place.table("people").find_each(as_=nothing)


def test_pluck_gives_values(place):
    """One column gives bare values, several give tuples."""
    people(place, 20)
    table = place.table("people")
    assert list(table.pluck("name", finish=2)) == ["name 1", "name 2"]
    assert list(table.pluck("city", "id", start=19)) == [("city 5", 19), (None, 20)]
    with pytest.raises(errors.UsageError, match="names no column"):
        table.pluck()


@pytest.mark.parametrize("order_by", ["city, id", "-city, -id", "city", "-city"])
def test_null_in_the_order_loses_no_row(place, order_by):
    """Rows with NULL in the order's column are given once, where the database sorts them."""
    people(place, 60)
    table = place.table("people")
    sql = ", ".join(f"{term.strip('- ')} {'DESC' if '-' in order_by else ''}" for term in ("city", "id"))
    wanted = [key for (key,) in place.all(f"SELECT id FROM people ORDER BY {sql}")]
    assert list(table.pluck("id", order_by=order_by, batch_rows=4)) == wanted


def test_mixed_directions(place):
    """Columns may go different ways, where an index does."""
    people(place, 60)
    place.run("CREATE INDEX mixed ON people (born DESC, id)")
    wanted = [key for (key,) in place.all("SELECT id FROM people ORDER BY born DESC, id")]
    table = place.table("people")
    assert list(table.pluck("id", order_by="-born, id", batch_rows=7)) == wanted


def test_composite_text_and_uuid_keys(place):
    """Keys of several columns, of text and of UUIDs are compared by the database, never by Python."""
    kind = "UUID" if place.kind in ("postgres url", "psycopg") else "CHAR(36)"
    place.run(f"CREATE TABLE things (shop VARCHAR(20) NOT NULL, code {kind} NOT NULL, PRIMARY KEY (shop, code))")
    rows = [
        (shop, str(uuid.UUID(int=number * 7919 % 1009)))
        for shop in ("Zürich", "aachen", "Bonn")
        for number in range(40)
    ]
    place.fill("INSERT INTO things VALUES (?, ?)", rows)
    wanted = place.all("SELECT shop, code FROM things ORDER BY shop, code")
    table = place.table("things")
    assert list(table.find_each(as_=tuple, batch_rows=7)) == wanted
    first = table.page(limit=50, as_=tuple)
    assert [*first, *table.page(first.token, 1000, as_=tuple)] == wanted


def test_start_and_finish(place):
    """start and finish are included, and may name the first columns of the order alone."""
    people(place, 40)
    table = place.table("people")
    assert list(table.pluck("id", start=5, finish=8)) == [5, 6, 7, 8]
    wanted = [key for (key,) in place.all("SELECT id FROM people WHERE city IN ('city 2', 'city 3') ORDER BY city, id")]
    assert list(table.pluck("id", order_by="city, id", start="city 2", finish=("city 3",), batch_rows=3)) == wanted
    assert list(table.pluck("id", start=30, finish=20)) == []
    with pytest.raises(errors.UsageError, match="start has 3 values"):
        table.pluck("id", start=(1, 2, 3))


def test_pages_and_tokens(place):
    """A page has rows and a token for the next one; the last one has none."""
    people(place, 10)
    table = place.table("people")
    seen, token = [], None
    while True:
        page = table.page(token, 4, columns=["id"])
        seen += [row["id"] for row in page]
        assert page.has_more == (page.token is not None)
        if page.token is None:
            break
        token = page.token
    assert seen == list(range(1, 11))
    assert table.page(limit=10).token is None
    assert table.page(limit=3)[1:][0]["id"] == 2


def test_a_token_of_another_query_is_refused(sqlite_place):
    """A token goes with its table, order, condition and secret, and with no other."""
    people(sqlite_place, 10)
    table = sqlite_place.table("people")
    token = table.page(limit=2).token
    with pytest.raises(TokenRefused, match="another query"):
        table.page(token, order_by="-id")
    with pytest.raises(TokenRefused, match="another query"):
        sqlite_place.table("people", where="id > ?", params=(3,)).page(token)
    with pytest.raises(TokenRefused, match="another secret"):
        sqlite_place.table("people", secret=b"x" * 32).page(token)
    with pytest.raises(TokenRefused, match="is no token"):
        table.page("people")
    assert [row["id"] for row in table.page(token, 2)] == [3, 4]


def test_a_pass_goes_on_where_its_token_stands(place):
    """The token stands behind the last row given, in the middle of a batch as well as between two."""
    people(place, 50)
    for stop_behind in (1, 7, 10, 11, 49):
        table = place.table("people")
        rows = table.find_each(batch_rows=10)
        got = [next(rows)["id"] for _ in range(stop_behind)]
        again = list(place.table("people").find_each(after=rows.token, batch_rows=10))
        assert got + [row["id"] for row in again] == list(range(1, 51))
        rows.close()
    rows = table.find_each(as_=tuple)
    assert sum(1 for _ in table.find_each(after=rows.token)) == 50
    assert len(list(rows)) == 50
    assert list(table.find_each(after=rows.token)) == []


def test_the_place_in_a_batch_is_not_guessed(sqlite_place):
    """Rows that do not carry the key have a place between batches only, and the error says so."""
    people(sqlite_place, 20)
    rows = sqlite_place.table("people").pluck("name", batch_rows=10)
    next(rows)
    with pytest.raises(errors.UsageError, match="do not carry id"):
        _ = rows.token
    for _ in range(9):
        next(rows)
    assert list(sqlite_place.table("people").pluck("id", after=rows.token)) == list(range(11, 21))


def test_a_select_is_read_by_its_key(place):
    """A select with parameters and a condition is read like a table, if it is told its key."""
    people(place, 40)
    select = f"SELECT id, name FROM people WHERE name LIKE {place.mark}"
    table = place.table(select, key="id", where=f"id > {place.mark}", params=("%1%", 10))
    wanted = [key for key in range(11, 41) if "1" in f"name {key}"]
    assert list(table.pluck("id", batch_rows=3)) == wanted
    plain = place.table("SELECT id FROM people WHERE name LIKE 'name 1%'; ", key="id")
    assert list(plain.pluck("id")) == [1, *range(10, 20)]
    with pytest.raises(errors.UsageError, match='Give key="id"'):
        place.table(select, params=("%1%",)).find_each()


def test_ranges_are_all_rows_once(place):
    """Parts of a table do not overlap and leave nothing out, by number or by any key."""
    people(place, 100)
    table = place.table("people")
    for options in ({}, {"order_by": "city, id"}, {"order_by": "-id"}):
        parts = [list(part.pluck("id", batch_rows=9)) for part in table.ranges(4, **options)]
        assert len(parts) == 4
        assert sorted(key for part in parts for key in part) == list(range(1, 101))
        assert max(map(len, parts)) <= 50
    assert [list(part.pluck("id")) for part in table.ranges(1)] == [list(range(1, 101))]
    place.run("DELETE FROM people")
    assert place.table("people").ranges(3) == []


def test_count_estimate_and_explain(place):
    """The estimate says how it is known; explain shows the page's SQL, the plan, and the bytes."""
    people(place, 100)
    table = place.table("people")
    count = table.count_estimate()
    assert 0 <= count <= 1000
    assert count.how
    told = table.explain()
    assert told.is_served
    assert "LIMIT" in str(told)
    assert "OFFSET" not in str(told).upper()
    assert told.bytes_max == table.bytes_max() >= 16 << 20


def test_an_order_without_an_index_is_refused(place):
    """The refusal names the line that makes an index, and after it the order is served; allow_scan overrides."""
    people(place, 30)
    table = place.table("people")
    with pytest.raises(
        errors.UsageError, match=r"CREATE INDEX .people_name_id. ON .people. \(.name., .id.\)"
    ) as caught:
        table.find_each(order_by="name")
    assert sum(1 for _ in table.find_each(order_by="name", allow_scan=True)) == 30
    table.close()
    place.run(caught.value.hint.partition(";")[0].removeprefix("Run: "))
    if place.kind not in ("sqlite3", "psycopg", "pymysql", "apsw"):
        table = place.table("people")
    assert list(place.table("people").pluck("name", order_by="name", batch_rows=7)) == sorted(
        f"name {n}" for n in range(1, 31)
    )


def test_async(database):
    """All verbs have an async face."""
    people(database, 30)
    table = database.table("people")

    async def read():
        ids = [row["id"] async for row in table.find_each(batch_rows=7)]
        batches = [len(batch) async for batch in table.batches(batch_rows=20)]
        page = await table.apage(limit=3)
        parts = await table.aranges(3)
        assert sorted([row["id"] for part in parts async for row in part.find_each(batch_rows=40)]) == list(
            range(1, 31)
        )
        assert await table.acount_estimate() > 0
        assert (await table.aexplain()).is_served
        done = await table.aupdate_each(lambda row: {"city": "new"}, finish=5)
        async with table.pluck("id") as rows:
            async for key in rows:
                first = key
                break
        return ids, batches, len(page), done.changed, first

    assert asyncio.run(read()) == (list(range(1, 31)), [20, 10], 3, 5, 1)


def test_a_table_of_a_path_or_url_is_sent_to_others(database):
    """A table and its parts can be pickled where another process can open the source."""
    people(database, 30)
    table = pickle.loads(pickle.dumps(database.table("people", where="id > 10")))
    assert sum(1 for _ in table.find_each()) == 20
    parts = pickle.loads(pickle.dumps(database.table("people").ranges(3)))
    assert sum(len(list(part.find_each())) for part in parts) == 30


def test_a_table_of_a_connection_stays_here(tmp_path):
    """A connection cannot be pickled, and the error says what can."""
    import sqlite3

    connection = sqlite3.connect(tmp_path / "x.db")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    with pytest.raises(errors.UsageError, match="path or URL"):
        pickle.dumps(Table(connection, "t"))


def test_rows_that_go_and_come_meanwhile(place):
    """Rows deleted, inserted or updated by the loop itself: what was there throughout is seen once."""
    people(place, 30)
    seen = []
    for row in place.table("people").find_each(batch_rows=7):
        seen.append(row["id"])
        if row["id"] % 10 == 0:
            place.run(f"DELETE FROM people WHERE id = {row['id']}")
        if row["id"] < 4:
            place.run(
                f"INSERT INTO people (id, name) VALUES ({row['id'] + 1000}, 'new')",
                f"UPDATE people SET name = 'other' WHERE id = {row['id'] + 1}",
            )
    assert seen == list(range(1, 31))


def test_consistencies(database):
    """A bounded pass ends with the rows of its start, a live one sees later ones, a snapshot sees nothing new."""
    people(database, 30)
    if database.kind == "sqlite path":
        database.run("PRAGMA journal_mode = wal")
    got = {}
    for number, consistency in enumerate(("bounded", "live", "snapshot"), start=1):
        rows = database.table("people").find_each(batch_rows=10, consistency=consistency)
        next(rows)
        database.run(
            f"INSERT INTO people (id, name) VALUES ({1000 * number}, 'new')",
            f"UPDATE people SET name = '{consistency}' WHERE id = 29",
        )
        left = list(rows)
        got[consistency] = (left[-1]["id"], next(row["name"] for row in left if row["id"] == 29))
    assert got == {"bounded": (30, "bounded"), "live": (2000, "live"), "snapshot": (2000, "live")}


def test_an_updated_order_column_ends_all_the_same(database):
    """A loop that moves its rows to the end of the order ends, because its end is fixed at the start."""
    people(database, 12)
    database.run("CREATE INDEX people_born ON people (born, id)")
    seen = []
    for row in database.table("people").find_each(order_by="born", batch_rows=3):
        seen.append(row["id"])
        database.run(f"UPDATE people SET born = '2030-01-01 00:00:00' WHERE id = {row['id']}")
    assert sorted(seen) == list(range(1, 13))


def test_bytes_end_a_batch(place):
    """A batch ends in front of the row that does not fit; a row larger than a batch passes alone."""
    text = "LONGTEXT" if place.kind in ("mariadb url", "pymysql") else "TEXT"
    place.run(f"CREATE TABLE wide (id {place.key_type}, body {text} NOT NULL)")
    sizes = [100] * 50 + [100_000] * 12 + [100] * 50 + [700_000] + [100] * 20
    place.fill("INSERT INTO wide VALUES (?, ?)", [(at, "x" * size) for at, size in enumerate(sizes)])
    batches = list(place.table("wide").batches(batch_bytes=500_000))
    assert [row["id"] for batch in batches for row in batch] == list(range(len(sizes)))
    for batch in batches:
        total = sum(len(row["body"]) for row in batch)
        assert total <= 500_000 or len(batch) == 1
    assert len(batches) <= 8


def test_the_budget_is_asked_and_given_back(sqlite_place):
    """A pass takes its bytes from the budget around it, and gives them back at its end, its close, or its loss."""
    people(sqlite_place, 30)
    table = sqlite_place.table("people")
    with Budget("64 MiB") as budget:
        rows = table.find_each(batch_bytes="1 MiB")
        assert budget.held == 0
        next(rows)
        assert budget.held == table.bytes_max("1 MiB") == rows.bytes_max()
        list(rows)
        assert budget.held == 0
        rows = table.find_each()
        next(rows)
        rows.close()
        assert budget.held == 0
        with table.batches() as batches:
            next(batches)
        assert budget.held == 0
        rows = table.find_each()
        next(rows)
        del rows
        assert budget.held == 0
    with Budget("8 MiB"), pytest.raises(errors.BudgetExceeded, match="table people"):
        next(table.find_each())


def test_what_is_wrong_is_said(sqlite_place, tmp_path):
    """Wrong arguments are refused with what to do."""
    people(sqlite_place, 3)
    table = sqlite_place.table("people")
    for call, words in (
        (lambda: sqlite_place.table("peeple"), None),
        (lambda: sqlite_place.table("peeple").find_each(), "no such table"),
        (lambda: Table(str(tmp_path / "none.db"), "t"), "there is no file"),
        (lambda: Table("oracle://host/x", "t"), "no database that is known"),
        (lambda: Table(5, "t"), "no source of a table"),
        (lambda: Table(sqlite_place.source), "which table"),
        (lambda: sqlite_place.table("people", key="nam").find_each(), "no column 'nam'"),
        (lambda: table.find_each(order_by="nam"), "Did you mean 'name'"),
        (lambda: table.find_each(order_by="id, id"), "twice"),
        (lambda: table.find_each(order_by=5), "is no order"),
        (lambda: table.find_each(columns="id"), "is one text"),
        (lambda: table.find_each(batch_rows=0), "batch_rows=0"),
        (lambda: table.find_each(batch_rows=True), "batch_rows=True"),
        (lambda: table.find_each(batch_bytes="lots"), "batch_bytes"),
        (lambda: table.find_each(consistency="none"), "consistency='none'"),
        (lambda: table.page(limit=10**9), "limit=1000000000"),
        (lambda: table.ranges(0), "count=0"),
        (lambda: table.find_each(as_="orm"), "needs a mapped class"),
        (lambda: sqlite_place.table("people", params="x"), "is no sequence"),
        (lambda: sqlite_place.table(" "), "has no name"),
    ):
        if words is None:
            call()
            continue
        with pytest.raises(errors.UsageError, match=words):
            call()
    table.close()
    with pytest.raises(errors.ClosedError, match="is closed"):
        table.find_each()


def test_hostile_names_are_names(place):
    """Quotes, spaces, percent signs and statements in names are parts of names."""
    quote = "`" if place.kind in ("mariadb url", "pymysql") else '"'
    name, column = "a; DROP TABLE x --", "100% o'clock"
    place.run(f"CREATE TABLE {quote}{name}{quote} (id {place.key_type}, {quote}{column}{quote} INT)")
    place.fill(
        f"INSERT INTO {quote}{name}{quote} VALUES (?, ?)".replace("%", "%%" if place.is_server else "%").replace(
            "%%s", "%s"
        ),
        [(1, 2), (2, 3)],
    )
    assert list(place.table(name).find_each(batch_rows=1)) == [{"id": 1, column: 2}, {"id": 2, column: 3}]
    assert list(place.table(name).pluck(column)) == [2, 3]


def test_numbers_keep_their_worth_as_keys(database):
    """Decimal and floating-point keys are sought exactly: no row twice, none lost."""
    if database.kind == "sqlite path":
        kinds = {"REAL": float}
    elif database.kind == "postgres url":
        kinds = {"REAL": float, "NUMERIC(20, 5)": Decimal, "DOUBLE PRECISION": float}
    else:
        kinds = {"DECIMAL(20, 5)": Decimal, "DOUBLE": float}
    for number, kind in enumerate(kinds):
        database.run(f"CREATE TABLE t{number} (k {kind} NOT NULL PRIMARY KEY)")
        database.fill(f"INSERT INTO t{number} VALUES (?)", [(str(value / 7)[:9],) for value in range(1, 50)])
        assert len(list(database.table(f"t{number}").find_each(batch_rows=3))) == 49
