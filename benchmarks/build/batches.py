"""What it costs to make record batches of rows that come one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from benchmarks.build.shapes import StructUser
from benchmarks.case import Case, Run

BATCH_ROWS = 8_192
BATCH_BYTES = 8 << 20

case = Case(
    "Rows of five columns, one by one, into record batches; those of BatchBuilder are bounded by bytes as well as by "
    f"a count of {BATCH_ROWS:,}.",
    size=200_000,
    tiny=200,
    per="row",
    unit="us",
)


def values(size: int) -> Iterable[tuple[int, str, str, int, float]]:
    """Rows that differ."""
    return ((number, f"name {number}", "john@example.org", number % 90, number * 0.5) for number in range(size))


def gathered(append: Callable[..., None], finish: Callable[[], None], size: int) -> Run:
    """All rows, and what is left at the end."""

    def run() -> None:
        for number, name, email, age, score in values(size):
            append(id=number, name=name, email=email, age=age, score=score)
        finish()

    return run


@case.contestant("RecordBatch.from_pylist of dicts", needs=("pyarrow",))
def pylist(size: int) -> Run:
    import pyarrow as pa

    rows: list[dict[str, object]] = []

    def append(**row: object) -> None:
        rows.append(row)
        if len(rows) >= BATCH_ROWS:
            finish()

    def finish() -> None:
        pa.RecordBatch.from_pylist(rows)
        rows.clear()

    return gathered(append, finish, size)


@case.contestant("BatchBuilder.append", needs=("pyarrow",))
def append(size: int) -> Run:
    from flatwater.build import BatchBuilder

    rows = BatchBuilder(StructUser, lambda _batch: None, batch_rows=BATCH_ROWS)
    return gathered(rows.append, rows.close, size)


@case.contestant("BatchBuilder, validated", needs=("pyarrow",))
def validated(size: int) -> Run:
    from flatwater.build import BatchBuilder

    rows = BatchBuilder(StructUser, lambda _batch: None, batch_rows=BATCH_ROWS, validate=True)
    return gathered(rows.append, rows.close, size)


@case.contestant("BatchBuilder.row, five setters and push", needs=("pyarrow",))
def fluent(size: int) -> Run:
    from flatwater.build import BatchBuilder

    rows = BatchBuilder(StructUser, lambda _batch: None, batch_rows=BATCH_ROWS)

    def run() -> None:
        row = rows.row
        for number, name, email, age, score in values(size):
            row.with_id(number).with_name(name).with_email(email).with_age(age).with_score(score).push()
        rows.close()

    return run


def one_by_one(size: int, *, weighed: bool) -> Run:
    """An object for each row by a builder of its own, gathered in a list, made into a batch when there are enough."""
    import msgspec
    import pyarrow as pa

    from flatwater.build import builder
    from flatwater.sizing import Sizer

    create = builder(StructUser).create
    weigh = Sizer().row
    rows: list[StructUser] = []

    def hand_over() -> None:
        pa.RecordBatch.from_pylist([msgspec.structs.asdict(row) for row in rows])
        rows.clear()

    def run() -> None:
        held_bytes = 0
        for number, name, email, age, score in values(size):
            made = create().with_id(number).with_name(name).with_email(email).with_age(age).with_score(score).build()
            rows.append(made)
            if weighed:
                held_bytes += weigh(made)
            if len(rows) >= BATCH_ROWS or held_bytes > BATCH_BYTES:
                hand_over()
                held_bytes = 0
        hand_over()

    return run


@case.contestant("a builder each, objects by count", needs=("pyarrow",))
def objects(size: int) -> Run:
    return one_by_one(size, weighed=False)


@case.contestant("a builder each, objects by bytes", needs=("pyarrow",))
def weighed_objects(size: int) -> Run:
    return one_by_one(size, weighed=True)
