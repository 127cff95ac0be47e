"""The drivers that read a whole result in `execute`: cut off before that, and usable afterwards."""

from __future__ import annotations

import io
import types

import pytest

import flatwater as fw
from flatwater.source.guard import PageTooLarge, page_guard
from flatwater.source.guard.drivers import _skip_rest, driver_of


@pytest.fixture(params=["postgres", "mariadb"])
def database(request):
    return request.getfixturevalue(f"{request.param}_things")


@pytest.fixture
def connection(database):
    """A wrapped connection that commits each statement."""
    inner = database.connect()
    yield page_guard.wrap(inner)
    inner.close()


def rows_of(connection, statement, *words):
    with connection.cursor() as cursor:
        cursor.execute(statement, *words)
        return cursor.fetchall()


def test_a_page_passes_whole(connection):
    """What fits comes as from the driver itself: rows, columns, their number."""
    with page_guard(max_rows=50), connection.cursor() as cursor:
        cursor.execute("SELECT id, name FROM things WHERE id <= %s ORDER BY id", (50,))
        assert cursor.rowcount == 50
        assert [column[0] for column in cursor.description] == ["id", "name"]
        assert cursor.fetchone() == (1, "name 1")
        assert [row[0] for row in cursor.fetchmany(3)] == [2, 3, 4]
        assert [row[0] for row in cursor][:2] == [5, 6]
        assert cursor.fetchone() is None
        assert not cursor.fetchall()


def test_an_empty_result_has_columns(connection):
    """A query without rows still tells its columns, and can be asked twice."""
    with page_guard(), connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute("SELECT id, name FROM empty WHERE name = %s", ("x",))
            assert [column[0] for column in cursor.description] == ["id", "name"]
            assert not cursor.fetchall()
            assert cursor.rowcount == 0


def test_one_row_more_is_refused_in_execute(connection):
    """The query ends where the driver would have taken everything in, and the connection goes on at once."""
    for _ in range(3):
        with page_guard(max_rows=100), connection.cursor() as cursor, pytest.raises(PageTooLarge) as caught:
            cursor.execute("SELECT * FROM things")
        assert caught.value.rows == 101
        assert caught.value.transaction == "usable"
        assert rows_of(connection, "SELECT count(*) FROM things") in ([(5000,)], ((5000,),))


def test_bytes_are_counted(connection):
    """Rows of 1 MB: eight of them are cut off at 8 MiB, however many rows are allowed."""
    with page_guard(max_rows=1_000, max_bytes="8 MiB"), pytest.raises(PageTooLarge) as caught:
        rows_of(connection, "SELECT * FROM wide")
    assert caught.value.what == "max_bytes"
    assert caught.value.rows in range(8, 10)
    with page_guard(max_bytes="8 MiB"):
        assert len(rows_of(connection, "SELECT * FROM wide LIMIT 5")) == 5


def test_the_transaction_is_told(database):
    """In a transaction: MariaDB goes on; PostgreSQL wants a rollback, says so, and keeps nothing of what was written."""
    connection = page_guard.wrap(database.connect(autocommit=False))
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO empty VALUES (1, 'x')")
        with page_guard(max_rows=10), pytest.raises(PageTooLarge) as caught:
            cursor.execute("SELECT a.id FROM things a, things b")
    if database.kind == "postgres":
        assert caught.value.transaction == "aborted"
        assert "roll back" in str(caught.value)
        connection.rollback()
        assert rows_of(connection, "SELECT * FROM empty") == []
    else:
        assert caught.value.transaction == "usable"
        assert rows_of(connection, "SELECT id FROM empty") == ((1,),)
        connection.rollback()
    connection.inner.close()


def test_the_query_is_stopped_in_the_server(database):
    """A join of 25 million rows is not read to its end: the server stops, and other queries get through."""
    connection = page_guard.wrap(database.connect())
    with page_guard(max_rows=10), connection.cursor() as cursor, pytest.raises(PageTooLarge):
        cursor.execute("SELECT a.name, b.name FROM things a, things b")
    running = {
        "postgres": "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%things b'",
        "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%things b'",
    }[database.kind]
    assert rows_of(connection, running)[0][0] == 0
    connection.inner.close()


def test_what_writes_passes(connection, database):
    """A statement that returns more rows than the guard allows, but writes, runs to its end."""
    connection.cursor().execute("CREATE TEMPORARY TABLE written (id int)")
    with page_guard(max_rows=10):
        written = rows_of(connection, "INSERT INTO written SELECT id FROM things RETURNING id")
    assert len(written) == 5_000


def test_without_a_guard_the_driver_is_itself(connection):
    """Outside of a block all rows come, and another statement may run while they are fetched."""
    with connection.cursor() as cursor, connection.cursor() as other:
        cursor.execute("SELECT id FROM things")
        other.execute("SELECT 1")
        assert len(cursor.fetchall()) == 5_000


def test_statements_may_run_while_a_page_is_fetched(connection):
    """A guarded page is in memory, as the driver's results are: the connection is free for the next statement."""
    with page_guard(), connection.cursor() as cursor, connection.cursor() as other:
        cursor.execute("SELECT id FROM things WHERE id <= 100")
        for row in cursor:
            other.execute("SELECT name FROM things WHERE id = %s", row)
            assert other.fetchone() == (f"name {row[0]}",)


def test_server_side_cursors_are_counted(postgres_things):
    """A named cursor of psycopg is cut off as its rows come, and the transaction goes on."""
    connection = page_guard.wrap(postgres_things.connect(autocommit=False))
    with page_guard(max_rows=100), connection.cursor("page") as cursor:
        cursor.execute("SELECT id FROM things ORDER BY id")
        assert len(cursor.fetchmany(60)) == 60
        with pytest.raises(PageTooLarge) as caught:
            cursor.fetchmany(60)
    assert caught.value.transaction == "usable"
    assert rows_of(connection, "SELECT 1") == [(1,)]
    with page_guard(max_rows=100), connection.cursor() as cursor, pytest.raises(PageTooLarge):
        list(cursor.stream("SELECT id FROM things"))
    connection.inner.close()


def test_row_factories_and_classes_stay(postgres_things, mariadb_things):
    """Rows come in the form that the program asked for."""
    from psycopg.rows import dict_row
    from pymysql.cursors import DictCursor, SSCursor

    class Mine(DictCursor):
        def the_name(self):
            return "mine"

    with postgres_things.connect(row_factory=dict_row) as inner, page_guard(max_rows=10):
        assert rows_of(page_guard.wrap(inner), "SELECT id FROM things WHERE id = 1") == [{"id": 1}]
    with mariadb_things.connect() as inner, page_guard(max_rows=10):
        connection = page_guard.wrap(inner)
        cursor = connection.cursor(Mine)
        cursor.execute("SELECT id FROM things WHERE id = 1")
        assert cursor.fetchall() == [{"id": 1}]
        assert cursor.the_name() == "mine"
        cursor.close()
        cursor = connection.cursor(SSCursor)
        cursor.execute("SELECT id FROM things ORDER BY id")
        assert cursor.fetchmany(2) == [(1,), (2,)]
        with pytest.raises(PageTooLarge):
            cursor.fetchall()
        assert rows_of(connection, "SELECT 1") == ((1,),)


def test_a_server_that_lets_nobody_in_loses_the_connection(mariadb_things, monkeypatch):
    """If the second connection cannot be made, the first one is closed rather than read to its end."""
    import pymysql

    def refuses(*_args, **_options):
        raise pymysql.err.OperationalError(1040, "Too many connections")

    monkeypatch.setattr("flatwater.source.guard.drivers._sibling", refuses)
    connection = page_guard.wrap(mariadb_things.connect())
    with page_guard(max_rows=10), connection.cursor() as cursor, pytest.raises(PageTooLarge) as caught:
        cursor.execute("SELECT a.name, b.name FROM things a, things b")
    assert caught.value.transaction == "lost"
    assert not connection.open


def packet(body, number=0):
    return len(body).to_bytes(3, "little") + bytes([number % 256]) + body


@pytest.mark.parametrize("last", [b"\xff\x25\x05#70100interrupted", b"\xfe\0\0\x02\0"], ids=["error", "end"])
@pytest.mark.parametrize("step", [7, 1_000, 1 << 20])
def test_the_rest_is_skipped_packet_by_packet(last, step):
    """Rows, rows of 16 MB in two packets of which the second looks like an error, pieces of any size: to the last one."""
    large = b"\xfd" + b"x" * (0xFFFFFF - 1)
    rows = [packet(b"\x05hello", number) for number in range(300)]
    rows += [packet(large), packet(b"\xff\0\0"), packet(large), packet(b""), packet(b"\x01a")]
    rest = packet(b"\xfe" + b"y" * 20) + packet(last)

    class Pieces(io.BytesIO):
        def read1(self, size=-1):
            return super().read1(min(size, step))

    file = Pieces(b"".join(rows[-40:] if step == 7 else rows) + rest)
    _skip_rest(types.SimpleNamespace(_rfile=file))
    assert file.read() == b""
    with pytest.raises(OSError, match="closed"):
        _skip_rest(types.SimpleNamespace(_rfile=Pieces(rows[0] + rest[:-3])))


def test_errors_of_the_server_are_the_drivers(connection):
    """A statement that is wrong raises what the driver raises, and the next one runs."""
    with page_guard(), connection.cursor() as cursor:
        with pytest.raises(Exception, match="nowhere") as caught:
            cursor.execute("SELECT * FROM nowhere")
        assert type(caught.value).__module__.startswith(("psycopg", "pymysql"))
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_unknown_drivers_are_none():
    """A cursor of an unknown driver has no driver here; an asynchronous one is refused with the way to go."""
    assert driver_of(object()) is None
    from psycopg import AsyncCursor

    with pytest.raises(fw.errors.UsageError, match="SQLAlchemy"):
        driver_of(AsyncCursor.__new__(AsyncCursor))


def test_a_cut_cursor_takes_the_next_statement(connection):
    """Who catches the refusal may ask for less with the same cursor."""
    with page_guard(max_rows=10), connection.cursor() as cursor:
        with pytest.raises(PageTooLarge):
            cursor.execute("SELECT * FROM things")
        cursor.execute("SELECT id FROM things ORDER BY id LIMIT 2")
        assert [row[0] for row in cursor.fetchall()] == [1, 2]


def test_results_are_in_the_drivers_own_form(mariadb_things):
    """With PyMySQL `execute` tells the number of rows, and rows come in a tuple; of dicts in a list."""
    from pymysql.cursors import DictCursor

    told = []
    with mariadb_things.connect() as inner:
        for of in (inner, page_guard.wrap(inner, max_rows=10)):
            for kind in (None, DictCursor):
                cursor = of.cursor(kind)
                count = cursor.execute("SELECT id, name FROM things ORDER BY id LIMIT 5")
                told.append((count, cursor.fetchmany(2), cursor.rownumber, cursor.lastrowid, cursor.fetchall()))
    assert told[:2] == told[2:]


def test_going_back_and_forth_in_a_result(connection):
    """`scroll` and `rownumber` are of the result that was read, as with the driver alone."""
    told = []
    for of in (connection.inner, connection):
        with page_guard(max_rows=10), of.cursor() as cursor:
            cursor.execute("SELECT id FROM things ORDER BY id LIMIT 10")
            seen = [cursor.fetchone()]
            cursor.scroll(5)
            seen += [cursor.rownumber, cursor.fetchone()]
            cursor.scroll(0, "absolute")
            seen += [cursor.fetchone(), cursor.rownumber]
            with pytest.raises(IndexError):
                cursor.scroll(10)
        told.append(seen)
    assert told[0] == told[1]


def test_a_server_side_cursor_scrolls_from_where_the_program_is(postgres_things):
    """Rows that were fetched ahead do not count as seen: after `scroll` comes the row that the driver alone would give."""
    told = []
    with postgres_things.connect(autocommit=False) as inner:
        for of in (inner, page_guard.wrap(inner, max_rows=50)):
            with of.cursor("place", scrollable=True) as cursor:
                cursor.execute("SELECT id FROM things ORDER BY id")
                seen = [cursor.fetchone(), cursor.fetchone()]
                cursor.scroll(5)
                seen += [cursor.fetchone()]
                cursor.scroll(-3)
                seen += [cursor.fetchone(), cursor.rownumber]
                cursor.scroll(20, "absolute")
                seen += [cursor.fetchmany(3), cursor.rownumber]
            told.append(seen)
    assert told[0] == told[1]


def test_a_stream_that_is_left_frees_the_connection(postgres_things):
    """Leaving the loop over `stream` ends it, and the connection takes the next statement."""
    with postgres_things.connect() as inner, page_guard(max_rows=10):
        connection = page_guard.wrap(inner)
        cursor = connection.cursor()
        for row in cursor.stream("SELECT id FROM things ORDER BY id"):
            assert row == (1,)
            break
        assert not inner.lock.locked()
        assert connection.execute("SELECT 2").fetchall() == [(2,)]


def test_a_stream_of_what_writes_passes(postgres_things):
    """`stream` of a statement that writes runs to its end."""
    with postgres_things.connect() as inner, page_guard(max_rows=10):
        cursor = page_guard.wrap(inner).cursor()
        cursor.execute("CREATE TEMPORARY TABLE streamed (id int)")
        assert sum(1 for _ in cursor.stream("INSERT INTO streamed SELECT id FROM things RETURNING id")) == 5_000
        with pytest.raises(PageTooLarge):
            list(cursor.stream("SELECT id FROM things"))


def test_executemany_leaves_the_last_query(postgres_things):
    """After `executemany` its own rows are fetched, and none of the query before it."""
    with postgres_things.connect() as inner, page_guard(max_rows=10):
        cursor = page_guard.wrap(inner).cursor()
        cursor.execute("CREATE TEMPORARY TABLE many (id int)")
        cursor.execute("SELECT 1 UNION SELECT 2")
        cursor.executemany("INSERT INTO many VALUES (%s) RETURNING id", [(7,), (8,)], returning=True)
        assert [cursor.fetchall(), cursor.nextset(), cursor.fetchall()] == [[(7,)], True, [(8,)]]
        cursor.execute("SELECT 1 UNION SELECT 2")
        cursor.executemany("INSERT INTO many VALUES (%s)", [(9,)] * 3)
        assert cursor.rowcount == 3


def test_a_procedure_leaves_the_last_query(mariadb_things):
    """After `callproc` its own rows are fetched, however many, and none of the query before it."""
    mariadb_things.execute("CREATE PROCEDURE all_things() SELECT id FROM things")
    with mariadb_things.connect() as inner, page_guard(max_rows=10):
        cursor = page_guard.wrap(inner).cursor()
        cursor.execute("SELECT 1")
        cursor.callproc("all_things")
        assert len(cursor.fetchall()) == 5_000


def test_several_statements_in_one_text(mariadb_things):
    """With PyMySQL each result is guarded, and `nextset` goes to the next; what is left there does not stay in flight."""
    from pymysql.constants import CLIENT

    with mariadb_things.connect(client_flag=CLIENT.MULTI_STATEMENTS) as inner, page_guard(max_rows=10):
        connection = page_guard.wrap(inner)
        cursor = connection.cursor()
        cursor.execute("SELECT 1; SELECT 2; SELECT * FROM things")
        assert [cursor.fetchall(), cursor.nextset(), cursor.fetchall()] == [((1,),), True, ((2,),)]
        with pytest.raises(PageTooLarge):
            cursor.nextset()
        assert rows_of(connection, "SELECT 3") == ((3,),)
        cursor = connection.cursor()
        cursor.execute("SELECT 1; SELECT * FROM things")
        cursor.close()
        assert rows_of(connection, "SELECT 4") == ((4,),)


def test_an_unbuffered_cursor_has_no_way_around(mariadb_things):
    """PyMySQL's `fetchall_unbuffered` is counted as well."""
    from pymysql.cursors import SSCursor

    with mariadb_things.connect() as inner, page_guard(max_rows=10):
        cursor = page_guard.wrap(inner).cursor(SSCursor)
        cursor.execute("SELECT * FROM things")
        with pytest.raises(PageTooLarge):
            list(cursor.fetchall_unbuffered())


def test_fetching_from_a_declared_cursor_is_guarded(postgres_things):
    """FETCH in SQL is a query like another."""
    with postgres_things.connect(autocommit=False) as inner, page_guard(max_rows=10):
        connection = page_guard.wrap(inner)
        connection.execute("DECLARE place CURSOR FOR SELECT * FROM things")
        assert len(connection.execute("FETCH 10 FROM place").fetchall()) == 10
        with pytest.raises(PageTooLarge):
            connection.execute("FETCH ALL FROM place")
