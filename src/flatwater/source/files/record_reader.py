"""Validated, typed rows of a file of any size, in batches bounded by bytes.

Covers:     JSON lines, CSV and Parquet; which of them a file is; rows one at a time and in batches; the report of bad rows.
Not here:   the formats (`files.json_rows`, `files.csv_rows`, `files.parquet_rows`), schemas (`files.schemas`).
Holds:      the rows of a window, and a batch; see `Records.bytes_max`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, final, overload

from flatwater import errors, limits
from flatwater.sizing import Sizer
from flatwater.source.files.bad_rows import Report
from flatwater.source.files.blocks import Blocks, with_byte_before
from flatwater.source.files.line_reader import checked_handling
from flatwater.source.files.one_pass import Body, OnePass
from flatwater.source.files.opening import Peeked
from flatwater.source.files.place import Place, known_options
from flatwater.source.files.rows import Rejects
from flatwater.source.files.schemas import RowSchema
from flatwater.source.files.stream import Stream

if TYPE_CHECKING:
    import threading

Row = TypeVar("Row")

FORMATS = ("jsonl", "csv", "parquet")
_SUFFIXES = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".jsonlines": "jsonl",
    ".csv": "csv", ".tsv": "csv", ".tab": "csv",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
_COMPRESSED = (".gz", ".zst", ".bz2", ".xz")
_PEEK_BYTES = 64


@final
class Records(OnePass[Row]):
    """The rows of a file: an iterator and a context manager, good for one pass. Made by `records`.

    Attributes:
        report: rows that were skipped: all counted, the first ones kept.
    """

    __slots__ = ("_arguments", "_place", "_rows", "report")

    def __init__(self, place: Place, arguments: dict[str, Any]) -> None:
        self._place = place
        self._arguments = arguments
        self.report = Report(arguments["report_max"])
        self._rows = _Rows(place, report=self.report, **{k: v for k, v in arguments.items() if k != "report_max"})
        super().__init__(self._rows)

    def batches(
        self,
        bytes: str | int = limits.FILES_BATCH_BYTES,  # noqa: A002 - it is what is counted
        rows: int = limits.FILES_BATCH_ROWS,
    ) -> Iterator[list[Row]]:
        """The rows in lists that take at most so many heap bytes, and have at most so many rows.

        A row that is larger by itself comes alone. A batch is yours: hold several, and you hold as many times the bytes.

        Args:
            bytes: heap bytes of a batch with its rows, as `sizing.Sizer` charges them.
            rows: of a batch.

        Raises:
            UsageError: no size, or no number of rows.
            BudgetExceeded: a batch does not fit into the budget beside what reading takes.
        """
        bytes_max = errors.bytes_of(bytes, what="bytes", least=1)
        if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= limits.FILES_BATCH_ROWS_MAX:
            raise errors.UsageError(f"rows={rows!r}: from 1 to {limits.FILES_BATCH_ROWS_MAX}.")
        if self._turns is not None:
            raise errors.UsageError("rows were read already.", hint="Ask for batches first, or make a new one.")
        self._rows.batch_bytes = bytes_max
        self._started()
        assert self._turns is not None
        return _batched(self._turns, bytes_max, rows)

    def ranges(self, count: int) -> list[Records[Row]]:
        """About `count` readers of JSON lines that together give the same rows, for parallel workers.

        A row belongs to the range in which it begins. CSV has no ranges (an end of line may be inside quotes), nor has
        Parquet here.

        Raises:
            UsageError: it is no plain local file of JSON lines.
        """
        if self._rows.format != "jsonl":
            raise errors.UsageError(
                f"{self.name} has no ranges: only JSON lines can be split at any line.",
                hint="Pass format='jsonl' if it is.",
            )
        return [type(self)(place, self._arguments) for place in self._place.ranges(count)]

    @property
    def extent(self) -> tuple[int, int]:
        """First byte and length of one of `ranges`; of another reader, a length of 0 says no more."""
        return self._place.offset, self._place.length or 0

    def part(self, offset: int, length: int) -> Records[Row]:
        """What begins in these bytes of one of `ranges`."""
        return type(self)(self._place.part(offset=offset, length=length), self._arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        self._refuse_started()
        return type(self), (self._place, self._arguments)


@overload
def records(
    source: Any,
    schema: type[Row],
    format: str | None = ...,
    *,
    on_error: str = ...,
    longest: str | int = ...,
    encoding: str = ...,
    errors: str = ...,
    strict: bool | None = ...,
    header: bool | Sequence[str] = ...,
    dialect: Any = ...,
    csv: Mapping[str, Any] | None = ...,
    report_max: int = ...,
    offset: str | int = ...,
    length: str | int | None = ...,
    compression: str = ...,
    expansion_max: float = ...,
    window_max: str | int | None = ...,
    follow: bool = ...,
    stop: threading.Event | None = ...,
    storage_options: Mapping[str, Any] | None = ...,
) -> Records[Row]: ...
@overload
def records(source: Any, schema: Any = ..., format: str | None = ..., **options: Any) -> Records[Any]: ...
def records(
    source: Any,
    schema: Any = dict,
    format: str | None = None,  # noqa: A002 - as above
    *,
    on_error: str = "raise",
    longest: str | int = limits.FILES_LINE_BYTES,
    encoding: str = "utf-8",
    errors: str = "strict",
    strict: bool | None = None,
    header: bool | Sequence[str] = True,
    dialect: Any = None,
    csv: Mapping[str, Any] | None = None,
    report_max: int = limits.FILES_BAD_ROWS_KEPT,
    **options: Any,
) -> Records[Any]:
    r"""The rows of a file, validated and typed, one at a time or in batches bounded by heap bytes.

    Args:
        source: what `FileChunks` takes. Parquet needs one that can be sought in, or a URL whose server knows ranges.
        schema: a dataclass, msgspec.Struct, TypedDict or attrs class; `dict` takes rows as they are. Fields that a file has
            and the schema has not are passed over, in Parquet unread.
        format: "jsonl", "csv" or "parquet"; by default what the name ends with (before .gz and the like), else what
            the first bytes show.
        on_error: a bad row: "raise", or "skip" it and tell in `report`.
        longest: bytes of a line of JSON, or of a record of CSV.
        encoding: of JSON and CSV; a byte order mark tells UTF-16 and UTF-32 by itself.
        errors: bytes of CSV that are no text: "strict", or a handler of Python's such as "replace".
        strict: whether a field must have the type itself. By default so in JSON and Parquet; in CSV all is text, and is
            turned into numbers, dates and booleans. An empty field of CSV is None where the type takes it, and is left out
            where it takes neither that nor text.
        header: of CSV: True, the first row has the names; False, they are the schema's, in its order; or the names.
        dialect: of CSV, as of Python's csv; by default "excel", and "excel-tab" for .tsv.
        csv: further arguments of `csv.reader`, such as {"delimiter": ";"}.
        report_max: bad rows kept in `report`; about 1.6 KiB each at most. All are counted.
        **options: the other arguments of `FileChunks`, from `offset` on.

    Raises:
        UsageError: arguments that make no sense; a format that cannot be told.
        CorruptError: a bad row, with file, line, byte and reason; a file that is not what it ought to be.
        LimitReached: a line or record longer than `longest`; with its place.
        BrokenError, BudgetExceeded, MissingExtra: as of `FileChunks`.

    Memory: see `Records.bytes_max`; it is reserved in the budget around the call while the file is open. Not thread-safe,
    but `close` may be called from any thread.

    >>> import dataclasses, tempfile
    >>> @dataclasses.dataclass
    ... class Visit:
    ...     page: str
    ...     size: int
    >>> with tempfile.NamedTemporaryFile(suffix=".csv") as file:
    ...     _ = file.write(b"page,size\n/index,120\n/about,many\n")
    ...     file.flush()
    ...     rows = records(file.name, Visit, on_error="skip")
    ...     print(list(rows), rows.report.rows[0][1:])
    [Visit(page='/index', size=120)] (3, 21, 'Expected `int`, got `str` - at `$.size`')
    """
    arguments = {
        "schema": RowSchema(schema).schema,
        "format": format,
        "on_error": on_error,
        "longest": Blocks.checked_longest(longest),
        "encoding": encoding,
        "handling": checked_handling(errors),
        "strict": strict,
        "header": _checked_header(header),
        "dialect": dialect,
        "csv": _checked_options(csv),
        "report_max": report_max,
    }
    return Records(Place(source, **known_options(options)), arguments)


def _checked_header(header: Any) -> bool | list[str]:
    if isinstance(header, bool):
        return header
    if isinstance(header, Sequence) and not isinstance(header, str) and all(isinstance(name, str) for name in header):
        return list(header)
    raise errors.UsageError(f"header={header!r}: True, False or a list of names.")


def _checked_options(csv: Any) -> dict[str, Any]:
    if not isinstance(csv, Mapping | None):
        raise errors.UsageError(f"csv={csv!r}: a dict of arguments of csv.reader, such as {{'delimiter': ';'}}.")
    return dict(csv or {})


def format_of(name: str) -> str:
    """The format that a file's name tells; empty if it tells none.

    >>> format_of("rows.csv.gz"), format_of("rows.NDJSON"), format_of("rows")
    ('csv', 'jsonl', '')
    """
    name = name.lower()
    for suffix in _COMPRESSED:
        name = name.removesuffix(suffix)
    return next((found for suffix, found in _SUFFIXES.items() if name.endswith(suffix)), "")


class _Rows(Body):
    """One pass over rows."""

    __slots__ = (
        "_blocks",
        "_csv",
        "_handling",
        "_header",
        "_parquet",
        "_rejects",
        "_schema",
        "_strict",
        "batch_bytes",
        "format",
    )

    def __init__(
        self, place: Place, *, schema: Any, format: str | None, on_error: str, longest: int, encoding: str,  # noqa: A002 - as above
        handling: str, strict: bool | None, header: bool | Sequence[str], dialect: Any, csv: Mapping[str, Any], report: Report,
    ) -> None:  # fmt: skip
        if format is not None and format not in FORMATS:
            raise errors.UsageError(f"format={format!r} is not known.", hint=f"Use one of {', '.join(FORMATS)}.")
        if not isinstance(encoding, str):
            raise errors.UsageError(f"encoding={encoding!r}: rows are made of text.", hint="Use 'utf-8'.")
        self.format = format or format_of(place.name)
        ranged = place.offset or place.length is not None
        if ranged and self.format != "jsonl":
            raise errors.UsageError(
                "offset and length go with JSON lines: no other format can be read from the middle.",
                hint="Read it as a whole.",
            )
        opened, begin, end = with_byte_before(place)
        super().__init__(Stream(opened, "source.records"))
        self.batch_bytes = 0
        self._schema = RowSchema(schema)
        self._strict = strict
        self._header = header
        self._handling = handling
        self._rejects = Rejects(place.name, on_error, report)
        self._csv = _dialect(dialect, csv, place.name)
        self._blocks = Blocks(
            self.stream, longest=longest, too_long="raise" if on_error == "raise" else "skip", encoding=encoding,
            handling="strict" if handling == "skip" else handling, report=report, begin=begin, end=end,
            instead="on_error='skip'",
        )  # fmt: skip
        self._parquet: tuple[Any, list[str]] | None = None

    def begin(self) -> Any:
        raw = self.stream.open(*self._openers())
        try:
            if not self.format:
                self._tell(raw)
            if self.format == "parquet" and self._parquet is None:
                self._parquet = self._opened(self.stream.raw)
        except BaseException:
            self.close()
            raise
        return super().begin()

    def _openers(self) -> tuple[Callable[[Place], Any], ...]:
        """How to open it, where that is not the usual way."""
        if self.format != "parquet" or not self.stream.place.is_url:
            return ()
        from flatwater.source.files.sought import open_sought

        return (open_sought,)

    def _tell(self, raw: Any) -> None:
        """The format, by the first bytes."""
        if raw.seekable():
            start = raw.tell()
            first = raw.read(_PEEK_BYTES)
            raw.seek(start)
        else:
            buffer = bytearray(_PEEK_BYTES)
            count = raw.readinto(buffer)
            first = bytes(buffer[:count])
            self.stream.raw = Peeked(first, raw)
        text = first.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")
        if first.startswith(b"PAR1"):
            self.format = "parquet"
        elif text[:1] in {b"{", b"["}:
            self.format = "jsonl"
        else:
            raise errors.UsageError(
                f"neither the name nor the beginning of {self.stream.place.name} tells its format.",
                hint=f"Pass format=, one of {', '.join(FORMATS)}.",
            )

    def _opened(self, raw: Any) -> tuple[Any, list[str]]:
        from flatwater.source.files.parquet_rows import open_parquet

        if not (hasattr(raw, "seekable") and raw.seekable()):
            raise errors.UsageError(
                f"{self.stream.place.name}: Parquet is read from its end, and this can only be read from its start.",
                hint="Pass format='parquet', by which it is known that places are to be sought in it."
                if self.stream.place.is_url
                else "Copy it to a local file first, uncompressed.",
            )
        return open_parquet(raw, self.stream.place.name, self._schema)

    def bytes_max(self) -> int:
        blocks = self._blocks
        total = 0
        total += self.batch_bytes  # the batch that is handed out, where there are any
        total += Sizer().bytes_max() if self.batch_bytes else 0  # what weighs it
        if self.format == "parquet" and self._parquet is not None:
            from flatwater.source.files.parquet_rows import buffer_bytes_of, parquet_bytes

            total += parquet_bytes(*self._parquet, buffer_bytes_of(self.stream.raw))  # pages, a record batch, its rows
            total += self.stream.held_bytes  # a part that is on its way
            total += self._rejects.report.bytes_max()  # bad rows
            return total
        total += blocks.bytes_max()  # windows of bytes, and what the stream needs
        total += limits.FILES_JSON_HEAP_RATIO * blocks.window  # the rows of one window
        total += limits.FILES_LONG_HEAP_RATIO * blocks.longest  # the longest row
        return total

    def lists(self) -> Iterator[list[Any]]:
        if self.format == "parquet":
            from flatwater.source.files.parquet_rows import parquet_rows

            assert self._parquet is not None
            strict = True if self._strict is None else self._strict
            for rows in parquet_rows(*self._parquet, self._schema, self._rejects, strict=strict):
                yield rows
                if not self.stream.pass_gate():
                    return
        elif self.format == "csv":
            from flatwater.source.files.csv_rows import csv_rows

            yield from csv_rows(
                self._blocks, self._schema, self._rejects, header=self._header, dialect=self._csv,
                handling="strict" if self._handling == "skip" else self._handling, strict=bool(self._strict),
            )  # fmt: skip
        else:
            from flatwater.source.files.json_rows import json_rows

            yield from json_rows(
                self._blocks, self._schema, self._rejects, strict=True if self._strict is None else self._strict
            )


def _dialect(dialect: Any, options: Mapping[str, Any], name: str) -> dict[str, Any]:
    from flatwater.source.files.csv_rows import checked_dialect

    return checked_dialect(dialect, options, name)


def _batched(lists: Iterator[list[Any]], bytes_max: int, rows_max: int) -> Iterator[list[Any]]:
    """Lists of rows, put together and cut where they would be too large."""
    sizer = Sizer()
    batch: list[Any] = []
    held = 0
    for rows in lists:
        cost = sizer.batch(rows)
        if held + cost <= bytes_max and len(batch) + len(rows) <= rows_max:
            batch += rows
            held += cost
            continue
        for row in rows:
            cost = sizer.row(row) + 8  # and its place in the list
            if batch and (held + cost > bytes_max or len(batch) >= rows_max):
                yield batch
                batch, held = [], 0
            batch.append(row)
            held += cost
    if batch:
        yield batch
