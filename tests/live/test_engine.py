"""The SQL engine."""

import threading
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.live.engine import Engine
from flatwater.live.fence import checked
from flatwater.live.statements import understood

MIB = 1 << 20


class Rows:
    """A source of a few batches; counts those that were read."""

    def __init__(self, table, batches=1):
        self.schema, self._table, self._batches, self.read, self.widest = table.schema, table, batches, 0, 0

    def batches(self, columns):
        for _ in range(self._batches):
            self.read += 1
            yield from (self._table if columns is None else self._table.select(columns)).to_batches()


@pytest.fixture
def engine(tmp_path):
    with fw.Budget("1 GiB") as budget:
        made = Engine(32 * MIB, str(tmp_path / "spill"), budget)
        yield made
        made.close()
        assert budget.held == 0


def run(engine, text, table, values=(), name="t", seconds=60):
    _schema, batches = engine.run(checked(understood(text).tree), {("", name): Rows(table)}, values, seconds)
    return [row for batch in batches for row in batch.to_pylist()]


TABLE = pa.table({"a": [1, 2, None], "b": ["x", "y", "x"]})


def test_rows_of_a_query(engine):
    """It groups, sorts and filters what a source gives."""
    assert run(engine, "SELECT b, count(*) AS n, sum(a) AS s FROM t GROUP BY b ORDER BY b", TABLE) == [
        {"b": "x", "n": 2, "s": 1},
        {"b": "y", "n": 1, "s": 2},
    ]
    assert run(engine, "SELECT b FROM t WHERE a > 1", TABLE) == [{"b": "y"}]
    assert run(engine, "SELECT count(*) AS n FROM t WHERE b = ?", TABLE, ["x"]) == [{"n": 2}]


@pytest.mark.parametrize("text", ["SELECT a, ? AS w FROM (SELECT a FROM t LIMIT 400) AS q", "SELECT a, ? AS w FROM t"])
def test_a_parameter_that_makes_rows_wide(engine, text):
    """Narrow rows that become wide come in as many batches as if they had been so."""
    table = pa.table({"a": range(400)})
    made = engine.run(checked(understood(text).tree), {("", "t"): Rows(table)}, ["y" * 20_000], 60)[1]
    sizes = [(batch.num_rows, batch.nbytes) for batch in made]
    assert sum(rows for rows, _size in sizes) == 400
    assert max(size for _rows, size in sizes) <= 2 * limits.LIVE_BATCH_BYTES


@pytest.mark.parametrize(
    ("kind", "value"),
    [(pa.int64(), 5), (pa.float64(), 0.5), (pa.string(), "it's \\ \" \n\x00 é"), (pa.bool_(), True), (pa.date32(), date(2026, 1, 2)), (pa.binary(), b"\x00\xff"), (pa.timestamp("us", tz="UTC"), datetime(2026, 1, 2, 3, tzinfo=UTC)), (pa.decimal128(10, 2), Decimal("1.50"))],
    ids=str,
)  # fmt: skip
def test_parameters_of_all_types(engine, kind, value):
    """A parameter equals what is stored, whatever it contains; NULL equals nothing."""
    table = pa.table({"c": pa.array([value, None], kind)})
    assert run(engine, "SELECT c FROM t WHERE c = ? OR (c IS NULL AND 1 = 2)", table, [value]) == [{"c": value}]
    assert run(engine, "SELECT c FROM t WHERE c = ?", table, [None]) == []


@pytest.mark.parametrize(
    "text",
    [
        "SELECT nothing FROM t",
        "SELECT a + b FROM t WHERE a = 'x'",
        "SELECT sum(b) FROM t",
        "SELECT max(a, b, a) FROM t",
    ],
)
def test_errors_are_in_our_words(engine, text):
    """They name what is wrong, and neither the engine nor its names for tables."""
    with pytest.raises(errors.UsageError) as caught:
        run(engine, text, TABLE)
    assert "datafusion" not in str(caught.value).lower()
    assert engine._front not in str(caught.value)


def test_a_column_called_memory(engine):
    """A name is no reason: what is not there is told, not that the pool is too small."""
    with pytest.raises(errors.UsageError, match="memory_limit"):
        run(engine, "SELECT memory_limit FROM t", TABLE)


def test_tables_are_forgotten(engine):
    """After the end, an error, and an end in the middle, the engine knows no table."""
    run(engine, "SELECT * FROM t", TABLE)
    with pytest.raises(errors.UsageError):
        run(engine, "SELECT nothing FROM t", TABLE)
    source = Rows(TABLE, 100_000)
    _schema, batches = engine.run(checked(understood("SELECT * FROM t").tree), {("", "t"): source}, (), 60)
    next(batches)
    assert engine.tables() == 1
    batches.close()
    assert engine.tables() == 0
    assert source.read < 50_000


def test_an_error_of_the_source_comes_through(engine):
    """What reading rows raises is what the query raises, or says."""

    class Broken(Rows):
        def batches(self, columns):
            yield from super().batches(columns)
            raise errors.LimitReached("too much was changed", hint="Again.")

    with pytest.raises(errors.LimitReached):
        list(engine.run(checked(understood("SELECT b FROM t ORDER BY b").tree), {("", "t"): Broken(TABLE)}, (), 60)[1])


def test_a_query_that_takes_too_long(engine):
    """It is ended with the limit in the message."""
    with pytest.raises(errors.LimitReached, match="took more than"):
        list(engine.run(checked(understood("SELECT * FROM t").tree), {("", "t"): Rows(TABLE, 100)}, (), 0.0)[1])


def test_results_that_nobody_reads(engine, monkeypatch):
    """They hold no turn for ever: a query that waits gets one, and the one that lay longest says so when it is read on."""
    monkeypatch.setattr(engine._turns, "idle_s", 0.3)
    query = checked(understood("SELECT * FROM t").tree)
    lying = [engine.run(query, {("", "t"): Rows(TABLE, 100_000)}, (), 60)[1] for _ in range(limits.LIVE_QUERIES_MAX)]
    next(lying[1])
    assert run(engine, "SELECT count(*) AS n FROM t", TABLE) == [{"n": 3}]
    with pytest.raises(errors.LimitReached, match="were not read"):
        list(lying[0])
    assert next(lying[1]).num_rows
    for each in lying:
        each.close()
    assert engine.tables() == 0


def test_few_rows_hold_no_turn(engine):
    """A result that fits into a page is made when it is asked for: any number of them may lie unread."""
    results = [
        engine.run(checked(understood("SELECT a FROM t").tree), {("", "t"): Rows(TABLE)}, (), 1)[1] for _ in range(20)
    ]
    assert engine.tables() == 0
    assert [sum(batch.num_rows for batch in batches) for batches in results] == [3] * 20


def test_many_at_once(engine):
    """A hundred threads with tables of their own get their own rows, in one context."""
    contexts, wrong = Engine.contexts, []

    def work(number):
        for _ in range(3):
            found = run(engine, "SELECT sum(a) AS s FROM t", pa.table({"a": [number] * 10}))
            if found != [{"s": number * 10}]:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert (Engine.contexts, engine.tables()) == (contexts, 0)


def test_what_it_takes(tmp_path):
    """Four times its pool, or it is refused; after its end it is closed, and its directory is gone."""
    with fw.Budget("96 MiB") as budget:
        with pytest.raises(errors.BudgetExceeded):
            Engine(32 * MIB, str(tmp_path / "spill"), budget)
        engine = Engine(20 * MIB, str(tmp_path / "spill"), budget)
        assert budget.held == engine.bytes_max() == 80 * MIB
        engine.close()
        engine.close()
        assert budget.held == 0
        assert not (tmp_path / "spill").exists()
        with pytest.raises(errors.ClosedError):
            run(engine, "SELECT 1 AS x FROM t", TABLE)
