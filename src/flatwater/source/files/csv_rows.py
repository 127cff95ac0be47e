"""Typed rows of a CSV file, a window at a time.

Covers:     headers, dialects, quoted ends of lines, empty fields, rows of the wrong width, records that never end.
Not here:   the format itself, which is Python's `csv`; other formats.
Holds:      the text of a window, and its rows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, final

from flatwater import errors, units
from flatwater.source.files.bad_rows import BadRow
from flatwater.source.files.blocks import Block, Blocks
from flatwater.source.files.encodings import MARKING, marked_bytes
from flatwater.source.files.rows import Rejects
from flatwater.source.files.schemas import BAD_ROW_ERRORS, RowSchema

_OPTIONS = ("delimiter", "doublequote", "escapechar", "quotechar", "quoting", "skipinitialspace", "strict")


def checked_dialect(dialect: Any, options: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
    """The arguments of `csv.reader`.

    Raises:
        UsageError: they make no sense.
    """
    found = dict(options or {})
    unknown = sorted(set(found) - set(_OPTIONS))
    if unknown:
        raise errors.UsageError(f"csv={{{unknown[0]!r}: ...}} is not known.", hint=f"There are {', '.join(_OPTIONS)}.")
    if dialect is None:
        stem = name.lower()
        for suffix in (".gz", ".zst", ".bz2", ".xz"):
            stem = stem.removesuffix(suffix)
        dialect = "excel-tab" if stem.endswith((".tsv", ".tab")) else "excel"
    try:
        quoting = csv.reader([], dialect, **found).dialect.quoting
    except (csv.Error, TypeError, ValueError) as error:
        raise errors.UsageError(f"this dialect of CSV makes no sense: {error}.") from None
    if quoting == csv.QUOTE_NONNUMERIC:
        raise errors.UsageError(
            "QUOTE_NONNUMERIC guesses types by quotes.", hint="Leave it out: the schema has the types."
        )
    return {"dialect": dialect, **found}


def allow_fields(longest: int) -> None:
    """Let Python's csv take fields of this many letters; its limit is one for the process, and is only ever raised."""
    if csv.field_size_limit() < longest:
        csv.field_size_limit(longest)


@final
class _Feed:
    """Gives the reader its lines, with their ends, and remembers where they stand.

    Attributes:
        first_line: the number of the line after the last row that is done.
        is_due: a window has ended since `row_done`: the rows that are complete are to be handed out.
        is_torn: a line was passed over within the record that is being read.
        is_over: the reader asked for lines beyond the last one, and beyond an empty one that follows it: within a quote.
        is_dirty: bytes that are no text are in what was given since `row_done`; see `encodings.MARKING`.
    """

    def __init__(self, blocks: Blocks, rejects: Rejects, handling: str) -> None:
        self.first_line = 1
        self.is_due = self.is_torn = self.is_over = self.is_dirty = False
        self._blocks = blocks
        self._rejects = rejects
        self._handling = handling
        self._shift = 0  # from the reader's count of lines to the file's
        self._is_last_dirty = False
        self._wrong = ""  # the first bytes of the window that are no text
        self._looked_in: Block | None = None  # the block of the line that was looked up last
        self._looked_up = (0, 0)  # that line, and its place in the block
        self._seen: list[Block] = []  # those in which the rows since `row_done` lie
        self._fed_bytes = 0  # since the last complete row: a quote that is never closed would take all

    def lines(self) -> Iterator[str]:
        """All lines."""
        blocks = self._blocks
        given = 0
        follows = -1  # where the next block begins, if no line is passed over
        for block in blocks:
            if self.is_due:
                self.is_torn |= block.start != follows
            else:
                self.first_line = block.line
                self._seen.clear()
            follows = block.start + len(block.data) + 1
            self._seen.append(block)
            self._fed_bytes += len(block.data)
            if len(self._seen) > 1 and self._fed_bytes > blocks.longest + 2 * blocks.window:
                self._refuse()
            *most, last = self._text(block).split("\n")
            self._shift = block.line - given - 1
            given += len(most) + 1
            for line in most:
                yield line + "\n"
            self.is_due = True
            yield last + "\n"
        yield "\n"
        self.is_over = True

    def _text(self, block: Block) -> str:
        encoding = str(self._blocks.encoding)
        self._is_last_dirty = False
        try:
            return block.data.decode(encoding, self._handling)
        except UnicodeDecodeError as error:
            self.is_dirty = self._is_last_dirty = True
            self._wrong = self._blocks.no_text(error, block.start)
            return block.data.decode(encoding, MARKING)

    def no_text(self, fields: list[str]) -> str:
        """What to tell of a row whose bytes are no text; empty of others."""
        wrong = next(filter(None, map(marked_bytes, fields)), "") if self.is_dirty else ""
        if not wrong:
            return ""
        if self._wrong:  # this is the first of its window, of which more is known
            wrong, self._wrong = self._wrong, ""
            return wrong
        transcoded = self._blocks.transcoded
        encoding = self._blocks.encoding if transcoded is None else transcoded.encoding
        return f"no {encoding}" + (f" ({wrong})" if transcoded is None else "")

    def _refuse(self) -> None:
        first = self._seen[0]
        start = self._blocks.told(first.start)
        at = f", byte {start}," if start >= 0 else ""
        raise errors.LimitReached(
            f"{self._rejects.file}: a record that begins at or after line {first.line}{at} is longer than "
            f"{units.format_bytes(self._blocks.longest)}: perhaps a quote is not closed.",
            what="longest", limit=self._blocks.longest,
            hint="Raise longest=, or pass csv={'quoting': csv.QUOTE_NONE} for a file without quotes.",
        )  # fmt: skip

    def row_done(self, line_num: int) -> None:
        """All rows up to the reader's line are done: what was seen before need not be kept."""
        self.first_line = line_num + self._shift + 1
        self.is_due = self.is_torn = False
        self.is_dirty = self._is_last_dirty
        del self._seen[:-1]
        self._fed_bytes = 0

    def unfinished(self) -> str:
        """Why the record that was read last is none; empty if it is one."""
        if self.is_over:
            stream = self._blocks.stream
            return (
                "" if stream.is_closing or stream.place.follow else "a quote is not closed before the end of the file"
            )
        return "a line of this record was passed over" if self.is_torn else ""

    def byte_of(self, line: int) -> int:
        """Where a line begins; -1 if it is not among those that were seen, or nobody will be told.

        Lines are asked for in rising order, so the search goes on where the last one ended.
        """
        for block in self._seen if self._rejects.tells else ():
            ahead = line - block.line
            if ahead < 0 or ahead > block.data.count(b"\n"):
                continue
            found, at = self._looked_up
            if not block.line <= found <= line or self._looked_in is not block:
                found, at = block.line, 0
            for _ in range(line - found):
                at = block.data.find(b"\n", at) + 1
            self._looked_in, self._looked_up = block, (line, at)
            return self._blocks.told(block.start + at)
        return -1


def csv_rows(  # noqa: C901, PLR0912 - one state machine, in one place
    blocks: Blocks,
    schema: RowSchema,
    rejects: Rejects,
    *,
    header: bool | Sequence[str],
    dialect: Mapping[str, Any],
    handling: str,
    strict: bool,
) -> Iterator[list[Any]]:
    """The rows of each window.

    Args:
        blocks: of the file.
        schema: of the rows.
        rejects: where bad rows go.
        header: True: the first row has the names; False: the names are the schema's, in its order; or the names.
        dialect: of `csv.reader`.
        handling: of bytes that are no text.
        strict: do not turn text into numbers and dates.
    """
    # More than the feed gives to one record: so a quote that is never closed ends there, at the bound that has a name.
    allow_fields(blocks.longest + 4 * blocks.window)
    feed = _Feed(blocks, rejects, handling)
    reader = csv.reader(feed.lines(), **dialect)
    names: list[str] | None = None if header is True else _names(header, schema)
    table = None if names is None else _Table(names, schema, rejects, feed, strict=strict)
    pending: list[list[str]] = []
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            if table is None:
                raise errors.CorruptError(f"{rejects.file}, line {feed.first_line}: {error}.") from None
            yield from table.rows(pending)
            _reject(rejects, feed, pending, str(error))
            pending = []
            feed.row_done(reader.line_num)
            continue
        except (errors.FlatwaterError, OSError):
            if table is not None:
                yield from table.rows(pending)  # they stand before what is wrong
            raise
        if row is None:
            break
        if table is None:
            if row:
                _check_header(row, rejects, feed)
                table = _Table(row, schema, rejects, feed, strict=strict)
            feed.row_done(reader.line_num)
            continue
        pending.append(row)
        if feed.is_due:
            reason = feed.unfinished()
            if reason or feed.is_over:
                row = pending.pop()
            yield from table.rows(pending)
            if reason:
                _reject(rejects, feed, pending, reason)
            pending = []
            feed.row_done(reader.line_num)
    if table is None:
        if schema.fields is not None and any(field.is_required for field in schema.fields):
            raise errors.CorruptError(
                f"{rejects.file} is empty: it has no header.", hint="Pass header=False for rows without one."
            )
        return
    yield from table.rows(pending)


def _check_header(row: list[str], rejects: Rejects, feed: _Feed) -> None:
    """Refuse to take something for a header that is none.

    Raises:
        CorruptError: there is no telling what the columns are.
    """
    reason = feed.unfinished() or feed.no_text(row)
    if not reason and rejects.report.count:
        reason = (
            f"the line before it was passed over ({rejects.report.rows[0].reason})"
            if rejects.report.rows
            else "lines before it were passed over"
        )
    if reason:
        raise errors.CorruptError(
            f"{rejects.file}, line {feed.first_line}: the header cannot be read: {reason}.",
            hint="Pass header=[...] with names, a larger longest=, or the encoding=.",
        )


def _reject(rejects: Rejects, feed: _Feed, before: list[list[str]], reason: str) -> None:
    """Reject the record that comes after those before."""
    line = feed.first_line + sum(map(_lines_of, before))
    rejects.add(BadRow(rejects.file, line, feed.byte_of(line), reason))


def _lines_of(row: list[str]) -> int:
    return 1 + sum(field.count("\n") for field in row)


@final
class _Table:
    """Turns lists of texts into rows."""

    def __init__(self, names: list[str], schema: RowSchema, rejects: Rejects, feed: _Feed, *, strict: bool) -> None:
        names = [name.strip() for name in names]
        self._schema = schema
        self._rejects = rejects
        self._feed = feed
        self._strict = strict
        self._width = len(names)
        self._places = schema.columns(names, rejects.file)
        self._names = [names[place] for place in self._places]
        self._is_whole = self._places == list(range(self._width))
        self._trimmed = {field.name for field in schema.fields or () if not field.takes_empty}
        self._empties = {
            field.name: None if field.takes_none else ...
            for field in schema.fields or ()
            if not field.takes_empty and field.name in self._names
        }

    def rows(self, texts: list[list[str]]) -> Iterator[list[Any]]:
        """The good rows of those since the last one that is done; the others are rejected."""
        if not texts:
            return
        width = self._width
        if not self._feed.is_dirty and all(len(text) == width for text in texts):
            dicts = [self._dict(text) for text in texts]
            for padded in (True, False):
                try:
                    rows = dicts if padded else [self._unpadded(row) for row in dicts]
                    good = self._schema.converted(rows, strict=self._strict)
                except BAD_ROW_ERRORS:
                    continue
                yield good
                return
        yield from self._one_by_one(texts, self._feed.first_line)

    def _dict(self, text: list[str]) -> dict[str, Any]:
        values = text if self._is_whole else [text[place] for place in self._places]
        row: dict[str, Any] = dict(zip(self._names, values, strict=True))
        if "" in values:
            for name, instead in self._empties.items():
                if row[name] == "":
                    if instead is None:
                        row[name] = None
                    else:
                        del row[name]  # its default, if it has one
        return row

    def _unpadded(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row whose numbers, dates and such stand between spaces, as tables that were aligned by hand have them."""
        return {
            name: value.strip() if name in self._trimmed and isinstance(value, str) else value
            for name, value in row.items()
        }

    def _one_by_one(self, texts: list[list[str]], line: int) -> Iterator[list[Any]]:
        good: list[Any] = []
        for text in texts:
            if text:  # a blank line is no row
                reason = self._feed.no_text(text)
                if len(text) != self._width:
                    reason = f"{len(text)} fields where the header has {self._width}"
                elif not reason:
                    try:
                        good.append(self._schema.one(self._unpadded(self._dict(text)), strict=self._strict))
                    except BAD_ROW_ERRORS as error:
                        reason = str(error)
                if reason:
                    if not self._rejects.skips:
                        yield good
                        good = []
                    self._rejects.add(BadRow(self._rejects.file, line, self._feed.byte_of(line), reason))
            line += _lines_of(text)
        yield good


def _names(header: bool | Sequence[str], schema: RowSchema) -> list[str]:  # noqa: FBT001 - or the names
    """The columns' names where the file does not have them.

    Raises:
        UsageError: nobody knows them.
    """
    if isinstance(header, bool):
        if schema.fields is None:
            raise errors.UsageError(
                "header=False: a dict has no names of its own.", hint="Pass header=['id', 'name', ...]."
            )
        return [field.name for field in schema.fields]
    if isinstance(header, str) or not all(isinstance(name, str) for name in header):
        raise errors.UsageError(f"header={header!r}: True, False or a list of names.")
    return list(header)
