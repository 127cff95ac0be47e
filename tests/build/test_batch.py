from __future__ import annotations

import dataclasses
import gc
import io
import sys
from typing import NotRequired, TypedDict

import msgspec
import pytest

from flatwater.budget import Budget
from flatwater.build import BatchBuilder, InvalidError
from flatwater.errors import BudgetExceeded, ClosedError, MissingExtra, UsageError

MIB = 1 << 20


class Row(msgspec.Struct):
    id: int
    text: str


@dataclasses.dataclass
class Data:
    id: int
    text: str


class Keyed(TypedDict):
    id: int
    text: NotRequired[str]


class Model(msgspec.Struct):
    id: int
    text: str = "?"
    tags: list[str] = []


def filled(builder, count, chars=100):
    for number in range(count):
        builder.append(id=number, text=f"{number:08}" + "x" * chars)


@pytest.mark.parametrize("as_", ["arrow", "rows"])
@pytest.mark.parametrize("schema", [Row, Data, Keyed, ["id", "text"]])
def test_every_row_arrives_once_and_in_order(schema, as_):
    """In batches of bytes, whatever the schema and the form."""
    pytest.importorskip("pyarrow")
    batches = []
    with BatchBuilder(schema, batches.append, batch_bytes="64 KiB", as_=as_) as builder:
        filled(builder, 2_000)
        most = builder.bytes_max()
    assert len(batches) > 5
    rows = [row for batch in batches for row in (batch.to_pylist() if as_ == "arrow" else batch)]
    ids = [row["id"] if isinstance(row, dict) else row.id for row in rows]
    assert ids == list(range(2_000))
    if as_ == "arrow":
        assert max(batch.nbytes for batch in batches) < 64 * 1024
    assert (builder.batches, builder.rows_sent, builder.pending) == (len(batches), 2_000, 0)
    assert most >= 64 * 1024


def test_bytes_and_not_rows_bound_a_batch():
    """Wide rows make short batches; a count may bound as well."""
    sizes = []
    for chars in (10, 1_000, 10_000):
        batches = []
        with BatchBuilder(Row, batches.append, as_="rows", batch_bytes="64 KiB") as builder:
            filled(builder, 300, chars)
        sizes.append(max(map(len, batches)))
    assert sizes[0] > 250
    assert sizes[1] < 65
    assert sizes[2] < 7
    batches = []
    with BatchBuilder(Row, batches.append, as_="rows", batch_rows=7) as builder:
        filled(builder, 20)
    assert list(map(len, batches)) == [7, 7, 6]


def test_a_row_wider_than_a_batch_goes_alone():
    """It does not stall, the rows before it go first, and its bytes are reserved while it is there."""
    batches = []
    with Budget("8 MiB") as budget, BatchBuilder(Row, batches.append, as_="rows", batch_bytes="64 KiB") as builder:
        usual = budget.held
        filled(builder, 3)
        builder.append(id=3, text="x" * MIB)
        assert budget.held > MIB
        builder.append(id=4, text="small")
        assert budget.held == usual
        with pytest.raises(BudgetExceeded):
            builder.append(id=5, text="x" * (20 * MIB))
        builder.append(id=6, text="small")
    assert [[row.id for row in batch] for batch in batches] == [[0, 1, 2], [3], [4], [6]]


class Flaky:
    """A sink that fails so many times."""

    def __init__(self, failures):
        self.failures = failures
        self.rows = []

    def create_many(self, rows):
        if self.failures:
            self.failures -= 1
            raise OSError("disk full")
        self.rows += [row.id for row in rows]


def test_a_failing_sink_loses_nothing():
    """A row whose `append` raised was not taken: the same call again is the retry. `flush` is one, too."""
    sink = Flaky(failures=30)
    builder = BatchBuilder(Row, sink, batch_rows=5)
    failed = 0
    for number in range(23):
        while True:
            try:
                builder.append(id=number, text="x")
            except OSError:
                failed += 1
                assert builder.pending == 5
            else:
                break
    sink.failures = 1
    with pytest.raises(OSError, match="disk full"):
        builder.close()
    assert builder.pending == 3
    assert builder.flush() == 3
    builder.close()
    assert failed == 30
    assert sink.rows == list(range(23))


def fails_after(builder, count):
    """A block that has gathered so many rows."""
    filled(builder, count)
    raise ArithmeticError


def test_a_block_that_fails_hands_nothing_over():
    """What was gathered stays, for `flush` or `discard`."""
    batches = []
    builder = BatchBuilder(Row, batches.append, as_="rows")
    with pytest.raises(ArithmeticError), builder:
        fails_after(builder, 3)
    assert (batches, builder.pending) == ([], 3)
    assert builder.discard() == 3
    builder.close()
    assert batches == []


def test_values_that_arrow_does_not_take():
    """They are named with column and row, and the rows stay; validating refuses them when they come."""
    pytest.importorskip("pyarrow")
    batches = []
    builder = BatchBuilder(Row, batches.append)
    builder.append(id=1, text="a")
    builder.append(id="x", text=5)
    with pytest.raises(InvalidError, match=r"id: row 1: .*; text: row 1: "):
        builder.flush()
    assert builder.discard() == 2
    builder.close()
    with BatchBuilder(Row, batches.append, validate=True) as strict:
        strict.append(id=1, text="a")
        for wrong in (
            lambda: strict.append(id="x", text=5),
            lambda: strict.add(Row("x", 5)),
            lambda: strict.append(id=1),
        ):
            with pytest.raises(InvalidError):
                wrong()
    assert batches[0].to_pylist() == [{"id": 1, "text": "a"}]


def test_objects_that_cannot_be_made():
    """The row is in the error's notes, and the rows stay; a pydantic model tells all in our form."""
    pydantic = pytest.importorskip("pydantic")

    class Strict(pydantic.BaseModel):
        id: int = pydantic.Field(alias="ID")

    class Picky:
        def __init__(self, id):  # noqa: A002 - a field's name
            self.id = 1 / id

    for schema, wrong in ((Strict, InvalidError), (Picky, ZeroDivisionError)):
        builder = BatchBuilder(schema, list, as_="rows")
        builder.append(id=5)
        builder.append(id="x" if schema is Strict else 0)
        with pytest.raises(wrong) as caught:
            builder.flush()
        assert caught.value.__notes__ == ["This was row 1 of the batch; all its rows are still there."]
        assert builder.discard() == 2
        builder.close()


def test_sinks_are_known_by_their_methods():
    """`create_many` gets rows, `write_batch` record batches, a function what `as_` says."""
    pa = pytest.importorskip("pyarrow")
    file = io.BytesIO()
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("text", pa.string(), nullable=False)])
    with pa.ipc.new_stream(file, schema) as writer, BatchBuilder(Row, writer, batch_rows=2) as builder:
        filled(builder, 5)
    assert pa.ipc.open_stream(file.getvalue()).read_all()["id"].to_pylist() == [0, 1, 2, 3, 4]
    sink = Flaky(0)
    with BatchBuilder(Row, sink) as builder:
        builder.extend([Row(1, "a"), {"id": 2, "text": "b"}, Data(3, "c")])
    assert sink.rows == [1, 2, 3]
    found = []
    with BatchBuilder(Row, found.append) as builder:
        filled(builder, 1)
    assert isinstance(found[0], pa.RecordBatch)


def test_a_schema_of_ones_own():
    """It is used as it is; other names are refused."""
    pa = pytest.importorskip("pyarrow")
    found = []
    wanted = pa.schema([("id", pa.int16()), ("text", pa.dictionary(pa.int32(), pa.string()))])
    with BatchBuilder(["id", "text"], found.append, arrow_schema=wanted) as builder:
        filled(builder, 2)
    assert found[0].schema == wanted
    with pytest.raises(UsageError, match="arrow_schema has the columns"):
        BatchBuilder(["id"], found.append, arrow_schema=wanted)


def test_defaults():
    """What is left out takes the schema's default, a fresh one for each row."""
    batches = []
    with BatchBuilder(Model, batches.append, as_="rows") as builder:
        builder.append(id=1)
        builder.append(id=2, tags=["a"])
        builder.add({"id": 3})
    assert batches == [[Model(1), Model(2, tags=["a"]), Model(3)]]
    assert batches[0][0].tags is not batches[0][2].tags


def test_optional_keys():
    """They are null in Arrow, and left out of dicts."""
    pytest.importorskip("pyarrow")
    rows, arrows = [], []
    with BatchBuilder(Keyed, rows.append, as_="rows") as one:
        one.append(id=1)
    assert rows == [[{"id": 1}]]
    with BatchBuilder(Keyed, arrows.append) as other:
        other.append(id=1)
        other.row.with_id(2).with_text("x").push()
    assert arrows[0].to_pylist() == [{"id": 1, "text": None}, {"id": 2, "text": "x"}]


def drop(kept):
    """Forget them, and collect what is garbage."""
    kept.clear()
    gc.collect()


def test_its_bytes_are_reserved():
    """While it is open, from the ambient budget; a budget without room refuses it; dropped, they come back."""
    with Budget("64 MiB") as budget:
        builder = BatchBuilder(Row, list, as_="rows", batch_bytes="1 MiB")
        assert budget.held == builder.bytes_max()
        builder.close()
        assert budget.held == 0
        builder = BatchBuilder(Row, list, as_="rows")
        filled(builder, 2)
        kept = [builder]
        del builder
        with pytest.warns(ResourceWarning, match="dropped with 2 rows"):
            drop(kept)
        assert budget.held == 0
    with Budget("1 MiB"), pytest.raises(BudgetExceeded, match=r"build\.batch"):
        BatchBuilder(Row, list, as_="rows")


def test_after_closing():
    """Nothing is taken any more; closing again is fine."""
    builder = BatchBuilder(Row, list, as_="rows")
    filled(builder, 2)
    builder.close()
    builder.close()
    for use in (
        lambda: filled(builder, 1),
        builder.flush,
        builder.__enter__,
        lambda: builder.row.with_id(1).with_text("").push(),
    ):
        with pytest.raises(ClosedError, match="was closed"):
            use()
    assert (builder.pending, builder.pending_bytes) == (0, 0)


def test_a_sink_that_calls_back():
    """It is refused, and the rows are still there."""
    builder = BatchBuilder(Row, lambda rows: builder.flush(), as_="rows")
    filled(builder, 1)
    with pytest.raises(UsageError, match="the sink used the batch builder"):
        builder.flush()
    assert builder.discard() == 1


async def coroutine(batch):
    """A sink that nobody would await."""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sink": 5}, "is no sink"),
        ({"sink": io.StringIO()}, "is no sink"),
        ({"sink": Flaky(0), "as_": "arrow"}, "is no sink for arrow"),
        ({"sink": list, "as_": "csv"}, "'arrow' or 'rows'"),
        ({"sink": coroutine}, "nothing here would await"),
        ({"sink": list, "batch_bytes": "1 B"}, "too small"),
        ({"sink": list, "batch_bytes": "much"}, "batch_bytes"),
        ({"sink": list, "batch_rows": 0}, "batch_rows"),
        ({"sink": list, "batch_rows": True}, "batch_rows"),
        ({"sink": list, "schema": dataclasses.make_dataclass("Empty", [])}, "nothing to gather"),
        ({"sink": list, "schema": "id"}, "is no schema"),
    ],
)
def test_wrong_use(arguments, words):
    """It is refused when the builder is made."""
    with pytest.raises(UsageError, match=words):
        BatchBuilder(**{"schema": Row, **arguments})


def test_without_pyarrow(monkeypatch):
    """Only the first record batch needs it; the rows stay."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    builder = BatchBuilder(Row, list)
    filled(builder, 2)
    with pytest.raises(MissingExtra, match=r"flatwater\[tables\]"):
        builder.flush()
    assert builder.discard() == 2


def test_what_is_printed():
    """How much is there, of how much."""
    builder = BatchBuilder(Row, list, as_="rows", batch_bytes="1 MiB")
    filled(builder, 2)
    assert repr(builder).startswith("<BatchBuilder of Row: 2 rows, ")
    assert repr(builder).endswith(" of 1.0 MiB>")
    builder.close()


@pytest.mark.parametrize("as_", ["arrow", "rows"])
def test_a_default_of_a_row_of_plain_values(as_):
    """Where no column can be None, what `append` leaves out is the default all the same, in a record batch too."""

    class Plain(msgspec.Struct):
        name: str
        age: int = 7

    found = []
    with BatchBuilder(Plain, found.append, as_=as_) as rows:
        rows.append(name="Ann")
        rows.add({"name": "Bob"})
        rows.row.with_name("Cid").push()
        with pytest.raises(UsageError, match="'name' is not set"):
            rows.append(age=1)
    taken = [row["age"] for row in found[0].to_pylist()] if as_ == "arrow" else [row.age for row in found[0]]
    assert taken == [7, 7, 7]


def test_a_row_with_keys_that_are_no_names():
    """A dict with other keys is refused as one with unknown names is."""
    with BatchBuilder(["id"], [].append) as rows, pytest.raises(UsageError, match="has no field 5"):
        rows.add({5: 1, "id": 2})
