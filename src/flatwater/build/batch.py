"""Gather rows in columns, and hand them to a sink whenever they have so many bytes.

Covers:     rows by keyword, as objects, field by field; record batches or lists of rows; sinks that fail.
Not here:   Arrow types (`build.columns`), generated text (`build.generate`), single objects (`build.building`).
Holds:      one batch, and what the sink is given of it; see `BatchBuilder.bytes_max`.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Generic, Literal, Self, TypeVar, final

from flatwater import errors, limits, units
from flatwater.budget import Budget
from flatwater.build import rows as made_of
from flatwater.build.columns import arrow_schema_of, columns_of, record_batch
from flatwater.build.schemas import read
from flatwater.sizing import Sizer

T = TypeVar("T")
As = Literal["arrow", "rows"]


@final
class BatchBuilder(Generic[T]):
    """Gathers rows of a schema, and hands them over in batches of bytes. For one thread.

    A row that does not fit any more makes the batch before it go first; if that fails, the row was not taken, nothing is
    lost, and the same call may be repeated. One row that is larger than a batch goes alone.

    As a context manager it hands over what is left at the end. If the block fails, what was gathered stays where it is,
    for `flush()` or `discard()`.

    Args:
        schema: whatever `builder` takes.
        sink: a function of one batch; or an object with `create_many` (rows) or `write_batch` (Arrow), as Arrow's own
            stream, file and Parquet writers have.
        batch_bytes: heap bytes of the rows of a batch, in rows mode with the objects made of them.
        batch_rows: rows of a batch at most.
        as_: "arrow" for record batches, "rows" for lists of objects of the schema; by default what the sink's methods
            say, and Arrow for a function.
        validate: check each row against the annotations, and refuse it with every error.
        arrow_schema: a `pyarrow.Schema` instead of the one that follows from the annotations.

    Its `bytes_max()` is reserved in the ambient budget while it is open.

    Attributes:
        append: takes one row by keywords.
        add: takes one row as an object with the fields as attributes, or a dict.

    Raises:
        UsageError: no schema, no sink, a size that makes no sense, an annotation without an Arrow type.
        BudgetExceeded: the ambient budget has no room.

    >>> batches = []
    >>> with BatchBuilder(["id", "name"], batches.append, batch_rows=2, as_="rows") as rows:
    ...     rows.append(id=1, name="Ann")
    ...     rows.add({"id": 2, "name": "Bob"})
    ...     rows.row.with_id(3).with_name("Cid").push()
    >>> batches
    [[{'id': 1, 'name': 'Ann'}, {'id': 2, 'name': 'Bob'}], [{'id': 3, 'name': 'Cid'}]]
    """

    append: Callable[..., None]
    add: Callable[[object], None]

    def __init__(
        self,
        schema: type[T] | Iterable[str],
        sink: Any,
        *,
        batch_bytes: str | int = limits.BUILD_BATCH_BYTES,
        batch_rows: int = limits.BUILD_BATCH_ROWS_MAX,
        as_: As | None = None,
        validate: bool = False,
        arrow_schema: Any = None,
    ) -> None:
        self._reservation = None
        bytes_max = errors.bytes_of(batch_bytes, what="batch_bytes", least=limits.BUILD_BATCH_BYTES_MIN)
        if (
            isinstance(batch_rows, bool)
            or not isinstance(batch_rows, int)
            or not 1 <= batch_rows <= limits.BUILD_BATCH_ROWS_MAX
        ):
            raise errors.UsageError(f"batch_rows={batch_rows!r}: from 1 to {limits.BUILD_BATCH_ROWS_MAX:,} rows.")
        self._gathered = made_of.Gathered(bytes_max, batch_rows)
        self._schema = read(schema)
        if not self._schema.fields:
            raise errors.UsageError(f"{self._schema.name} has no fields: there is nothing to gather.")
        self._send, self._as = _sink_of(sink, as_)
        self._columns = columns_of(self._schema, for_arrow=self._as == "arrow" and arrow_schema is None)
        self._arrow_schema = _fitting(arrow_schema, self._schema.names)
        self._is_handing = False
        self._sizer = Sizer() if any(column.scalar is None for column in self._columns) else None
        self._lists: list[list[Any]] = [[] for _ in self._columns]
        self.batches = 0
        self.rows_sent = 0
        functions = made_of.functions(
            self._schema, self._columns, self._lists, self._gathered, self._make_room,
            sizer=self._sizer, with_objects=self._as == "rows", validate=validate,
        )  # fmt: skip
        self.append = functions.append
        self.add = functions.add
        self._row = functions.row
        self._objects = functions.objects
        self._budget = Budget.current()
        self._reservation = self._budget.reserve(self.bytes_max(), "build.batch")

    @property
    def row(self) -> Any:
        """The one fluent row: `with_<field>(value)` for each field, then `push()`, after which it is empty again."""
        return self._row

    @property
    def pending(self) -> int:
        """Rows gathered and not handed over yet."""
        return len(self._lists[0])

    @property
    def pending_bytes(self) -> int:
        """What they are taken to weigh."""
        return self._gathered.bytes if self._reservation is not None else 0

    def bytes_max(self) -> int:
        """The most it can hold at once, in bytes; one larger row comes on top, and is reserved when it comes."""
        total = 0
        total += self._gathered.bytes_max  # the values, the lists they stand in, in rows mode the objects
        if self._as == "arrow":
            total += self._gathered.bytes_max  # the record batch that is made of them
        if any(column.converted for column in self._columns):
            total += self._gathered.bytes_max  # nested values as dicts, on their way to Arrow
        if self._sizer is not None:
            total += self._sizer.bytes_max()  # what nested values were seen to weigh
        return total

    def extend(self, rows: Iterable[object]) -> None:
        """`add` each."""
        for row in rows:
            self.add(row)

    def flush(self) -> int:
        """Hand over what was gathered; returns how many rows.

        Raises:
            InvalidError: values do not fit their Arrow columns; with the column and the row.
            ClosedError: it was closed.
        Whatever the sink raises comes through; the rows stay, and `flush()` may be called again.
        """
        self._refuse_closed()
        if self._is_handing:
            raise errors.UsageError(
                "the sink used the batch builder that is calling it.", hint="Use another one in there."
            )
        count = self.pending
        if not count:
            return 0
        self._is_handing = True
        try:
            self._send(self._batch())
        finally:
            self._is_handing = False
        self._clear()
        self.batches += 1
        self.rows_sent += count
        return count

    def discard(self) -> int:
        """Drop what was gathered; returns how many rows."""
        count = self.pending
        self._clear()
        return count

    def close(self) -> None:
        """Hand over what is left, and give the bytes back. Stays open if the sink fails. Closing twice is fine."""
        if self._reservation is None:
            return
        self.flush()
        self._release()

    def __enter__(self) -> Self:
        self._refuse_closed()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()

    def __del__(self) -> None:
        if getattr(self, "_reservation", None) is None:
            return
        count = self.pending
        self._release()
        if count:
            warnings.warn(f"a BatchBuilder was dropped with {count:,} rows in it", ResourceWarning, stacklevel=2)

    def __repr__(self) -> str:
        return (
            f"<BatchBuilder of {self._schema.name}: {self.pending:,} rows, {units.format_bytes(self.pending_bytes)} of "
            f"{units.format_bytes(self._gathered.bytes_max)}>"
        )

    def _batch(self) -> Any:
        if self._as == "rows":
            return self._objects()
        schema = self._arrow_schema
        if schema is None:
            schema = arrow_schema_of(self._columns)
        batch = record_batch(self._columns, self._lists, schema)
        self._arrow_schema = batch.schema  # what was inferred of the first batch holds for those that follow
        return batch

    def _make_room(self, row_bytes: int) -> None:
        """Before a row that does not fit beside what is there. Raises what the sink raises: then the row is not taken."""
        self._refuse_closed()
        if self._is_handing or self.pending:
            self.flush()
        more = row_bytes - self._gathered.bytes_max
        assert self._reservation is not None
        if more > 0:
            self._reservation.resize(self.bytes_max() + (more if self._as == "rows" else 2 * more))

    def _clear(self) -> None:
        for values in self._lists:
            values.clear()
        if self._reservation is not None:
            self._gathered.bytes = 0
        if self._reservation is not None and self._reservation.bytes > self.bytes_max():
            self._reservation.resize(self.bytes_max())

    def _release(self) -> None:
        reservation, self._reservation = self._reservation, None
        self._gathered.bytes = made_of.CLOSED_BYTES  # the next row asks for room, and is refused there
        if reservation is not None:
            reservation.release()

    def _refuse_closed(self) -> None:
        if self._reservation is None:
            raise errors.ClosedError("this batch builder was closed.")


def _sink_of(sink: Any, as_: As | None) -> tuple[Callable[[Any], object], As]:
    """What is called with a batch, and in which form."""
    if as_ not in {None, "arrow", "rows"}:
        raise errors.UsageError(f"as_={as_!r} is not known.", hint="Use 'arrow' or 'rows'.")
    by_method: tuple[tuple[str, As], ...] = (("create_many", "rows"), ("write_batch", "arrow"))
    send: Any = None
    form: As = "arrow"
    for method, natural in by_method:
        if callable(getattr(sink, method, None)) and (as_ is None or as_ == natural):
            send, form = getattr(sink, method), natural
            break
    else:
        if callable(sink):
            send, form = sink, as_ or "arrow"
    if send is None:
        raise errors.UsageError(
            f"{type(sink).__name__} is no sink{f' for {as_}' if as_ else ''}.",
            hint="Pass a function of one batch, or an object with create_many(rows) or write_batch(record_batch).",
        )
    if inspect.iscoroutinefunction(send):
        raise errors.UsageError("the sink is a coroutine function, which nothing here would await.")
    return send, form


def _fitting(schema: Any, names: tuple[str, ...]) -> Any:
    if schema is None:
        return None
    if tuple(getattr(schema, "names", ())) != names:
        raise errors.UsageError(
            f"arrow_schema has the columns {list(getattr(schema, 'names', ()))}, and the rows have {list(names)}.",
            hint="Name the same fields, in the same order.",
        )
    return schema
