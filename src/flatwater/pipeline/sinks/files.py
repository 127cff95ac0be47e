"""Files of lines as sinks: JSON lines, CSV, text, bytes. Nobody sees a file before it is whole.

Covers:     writing beside the target, publishing by a rename, going on after a kill, what an item looks like in a line.
Not here:   Parquet (`sinks.parquet`), reading them (`source.files`).
Holds:      the lines of one batch.

The lines are written to `.NAME.part` beside the target, which is locked, so that two runs do not write the same file. A
commit syncs the part and tells its length; after a kill, what is behind that length is cut off.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import fcntl
import io
import os
import shutil
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, final

import msgspec

from flatwater import errors
from flatwater.pipeline.place import Batch
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.sinks.base import Record
from flatwater.pipeline.stages import called
from flatwater.store.directory import sync_directory

_COPY_BYTES = 1 << 20


@final
@dataclass(frozen=True, slots=True)
class LineFile:
    """A file, one line or piece for each item.

    Args:
        path: of the file; its folder is there.
        format: "jsonl", "csv", "text" or "bytes".
        columns: of a CSV file; those of the first item, unless told.
    """

    path: str
    format: str
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people."""
        return os.path.basename(self.path)

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds, in bytes."""
        total = 0
        total += batch_bytes  # lines, one by one
        total += batch_bytes  # and together
        return total

    def open(self, job: str, state: Any) -> FileWriter:
        """Begin to write beside the target, or go on there."""
        part = _Special(self.path) if is_special(self.path) else Part(self.path, is_kept=bool(job), state=state)
        columns, is_begun = self.columns, False
        if state:
            columns, is_begun = state["columns"], state["is_begun"]
        return FileWriter(part, self.format, columns, is_begun=is_begun)


@final
class FileWriter:
    """Lines on their way into a part."""

    def __init__(self, part: Part | _Special, kind: str, columns: tuple[str, ...], *, is_begun: bool) -> None:
        self._part = part
        self._kind = kind
        self._columns = columns
        self._is_begun = is_begun

    def write(self, items: Batch, gauge: Gauge, policy: Policy) -> Batch:
        """Their lines, in one piece."""
        if self._kind == "csv" and not self._is_begun:
            first = next((item for item in items if _is_row(item)), None)
            if first is not None:
                self._columns = self._columns or _columns_of(first)
                if self._columns:
                    self._part.write(_csv_lines([self._columns]))
                self._is_begun = True
        text, written = self._text(items, gauge, policy)
        self._part.write(text)
        return written

    def _text(self, items: Batch, gauge: Gauge, policy: Policy) -> tuple[bytes, Batch]:
        if self._kind == "csv":
            cells = partial(_cells, columns=self._columns)
            try:
                rows = _csv_lines(map(cells, items))
            except Exception:  # noqa: BLE001 - which one it is, is found one by one
                lines, written = called(lambda item: _csv_lines([cells(item)]), items, gauge, policy)
                return b"".join(lines), written
            gauge.items_in += len(items)
            return rows, items
        if self._kind != "jsonl":
            if (text := _together(items, self._kind)) is not None:
                gauge.items_in += len(items)
                return text, items
            lines, written = called(_text_line if self._kind == "text" else _piece, items, gauge, policy)
            return b"".join(lines), written
        try:
            text = _json.encode_lines(items)
        except Exception:  # noqa: BLE001 - which one it is, is found one by one
            lines, written = called(_json_line, items, gauge, policy)
            return b"".join(lines), written
        gauge.items_in += len(items)
        return text, items

    def recorded(self, job: str) -> Record | None:  # noqa: ARG002 - as others
        """Nothing: a length is kept by the checkpoint."""
        return None

    def commit(self, record: Record | None, *, is_last: bool) -> Any:  # noqa: ARG002 - as others
        """Sync it, and tell its length."""
        return {
            "length": self._part.sync(), "is_whole": is_last, "columns": self._columns, "is_begun": self._is_begun,
        }  # fmt: skip

    def finish(self) -> Any:
        """Publish it."""
        if self._kind == "csv" and self._columns and not self._is_begun:
            self._part.write(_csv_lines([self._columns]))
            self._is_begun = True
        state = self.commit(None, is_last=True)
        self._part.publish()
        return state

    def close(self, *, keep: bool) -> None:
        """Drop it, or leave the part where it is."""
        self._part.close(keep=keep)


@final
class Part:
    """What is written beside a file until it is whole.

    Args:
        path: of the file.
        is_kept: by a job, across runs.
        state: of the last commit, if there was one.
    """

    def __init__(self, path: str, *, is_kept: bool, state: Any) -> None:
        self.target = os.path.realpath(path)
        self.path = part_of(path)
        self._is_kept = is_kept
        self._file = self._opened(state)

    def _opened(self, state: Any) -> IO[bytes]:
        length = state["length"] if state else 0
        file = _locked(self.path, self.target)
        try:
            if state and state["is_whole"] and not os.fstat(file.fileno()).st_size and os.path.exists(self.target):
                self._take_back(file)  # it was published: the job goes on behind its end
            self._cut(file, length)
        except BaseException:
            if not os.fstat(file.fileno()).st_size:
                os.unlink(self.path)  # there was none
            file.close()
            raise
        return file

    def _cut(self, file: IO[bytes], length: int) -> None:
        if os.fstat(file.fileno()).st_size < length:
            raise errors.CorruptError(
                f"the checkpoint has {length:,} bytes of {self.target}, and they are gone.",
                hint="Put the file back, or remove the checkpoint to begin anew.",
            )
        file.truncate(length)
        file.seek(length)

    def _take_back(self, file: IO[bytes]) -> None:
        """Copy what was published, in small pieces."""
        with open(self.target, "rb", buffering=0) as published:
            shutil.copyfileobj(published, file, _COPY_BYTES)

    def write(self, data: Any) -> int:
        """All of it, or an error."""
        view = memoryview(data).cast("B")
        size = len(view)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise _not_written(self.target, error) from error
        return size

    @property
    def closed(self) -> bool:
        """As of a file."""
        return self._file.closed

    def flush(self) -> None:
        """As of a file: nothing is held back."""

    def tell(self) -> int:
        """As of a file."""
        return self._file.tell()

    def sync(self) -> int:
        """Make it last, and say how long it is."""
        try:
            if self._is_kept:
                os.fsync(self._file.fileno())
            return self._file.tell()
        except OSError as error:
            raise _not_written(self.target, error) from error

    def publish(self) -> None:
        """It is whole: it takes the target's place, at once."""
        try:
            os.fsync(self._file.fileno())
            with contextlib.suppress(FileNotFoundError):
                self._take_rights(os.stat(self.target))
            os.replace(self.path, self.target)
            sync_directory(os.path.dirname(self.target))
        except OSError as error:
            self.close(keep=self._is_kept)
            raise _not_written(self.target, error) from error
        self._file.close()

    def _take_rights(self, before: os.stat_result) -> None:
        """Owner, group and mode of the file that was there, as far as that is allowed."""
        with contextlib.suppress(PermissionError):
            os.fchown(self._file.fileno(), before.st_uid, before.st_gid)
        with contextlib.suppress(PermissionError):
            os.fchmod(self._file.fileno(), stat.S_IMODE(before.st_mode))

    def close(self, *, keep: bool) -> None:
        """Leave it there, or remove it."""
        if self._file.closed:
            return
        if not keep:
            with contextlib.suppress(OSError):
                os.unlink(self.path)
        self._file.close()


@final
class _Special:
    """A pipe, a terminal, a device: what is written is out."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._file = open(path, "wb", buffering=0)  # noqa: SIM115 - closed with this object
        except OSError as error:
            raise _not_opened(path, error) from error

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise _not_written(self._path, error) from error

    def sync(self) -> int:
        return 0

    def publish(self) -> None:
        self._file.close()

    def close(self, *, keep: bool) -> None:  # noqa: ARG002 - as a part
        self._file.close()


def part_of(path: str) -> str:
    """What is written beside a file."""
    folder, name = os.path.split(os.path.realpath(path))
    return os.path.join(folder, f".{name}.part")


def is_special(path: str) -> bool:
    """Whether it is there, and neither a file nor a folder: a pipe, a terminal, a device."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _locked(path: str, target: str) -> IO[bytes]:
    """The part, open, and nobody else's."""
    if os.path.isdir(target):
        raise errors.UsageError(f"{target} is a folder.", hint="Name a file in it.")
    while True:
        try:
            file = open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "r+b", buffering=0)  # noqa: SIM115 - the caller's
        except OSError as error:
            raise _not_opened(target, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(file, path):
                return file
        except OSError as error:
            file.close()
            if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                raise
            raise errors.UsageError(
                f"another run is writing {target}.", hint="Wait for its end, or write to another file."
            ) from error
        file.close()  # another run has just published it


def _is_at(file: IO[bytes], path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _not_opened(target: str, error: OSError) -> errors.FlatwaterError:
    if isinstance(error, FileNotFoundError):
        return errors.UsageError(
            f"{target} cannot be written: its folder is not there.", hint=f"Make it first: {os.path.dirname(target)}"
        )
    return errors.BrokenError(f"{target} cannot be written: {error.strerror}.", hint="Look at the folder's rights.")


def _not_written(target: str, error: OSError) -> errors.BrokenError:
    return errors.BrokenError(
        f"writing {target} failed: {error.strerror}.", hint="Nothing was published. Make room, and run it again."
    )


# --- what an item looks like ------------------------------------------------------------------------------------------


def _together(items: Batch, kind: str) -> bytes | None:
    """All in one piece; None if one of them is of another type, and has to be found."""
    types = set(map(type, items))
    if kind == "bytes":
        return b"".join(items) if types == {bytes} else None
    try:
        return ("\n".join(items) + "\n").encode() if types == {str} else None
    except UnicodeEncodeError:
        return None


def _text_line(item: Any) -> bytes:
    if not isinstance(item, str):
        raise errors.UsageError(f"{type(item).__name__} is no text.", hint="map(str) first, or write .jsonl.")
    return item.encode() + b"\n"


def _piece(item: Any) -> bytes:
    if isinstance(item, str):
        raise errors.UsageError("str is no piece of bytes.", hint="map(str.encode) first, or write .txt.")
    return bytes(memoryview(item))


_json = msgspec.json.Encoder()


def _json_line(item: Any) -> bytes:
    return _json.encode(item) + b"\n"


def _csv_lines(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _columns_of(item: Any) -> tuple[str, ...]:
    """Names of an item's fields; none for a tuple or list."""
    fields = fields_of(item)
    return () if fields is None else tuple(map(str, fields))


def fields_of(item: Any) -> dict[str, Any] | None:
    """An item as a dict; None if its values have no names."""
    if isinstance(item, dict):
        return item
    if hasattr(item, "_asdict"):
        found: dict[str, Any] = item._asdict()
        return found
    names = getattr(item, "__struct_fields__", None) or getattr(item, "__dataclass_fields__", None)
    return None if names is None else {name: getattr(item, name) for name in names}


def _is_row(item: Any) -> bool:
    return isinstance(item, (tuple, list)) or fields_of(item) is not None


def _cells(item: Any, columns: Sequence[str]) -> Iterable[Any]:
    fields = fields_of(item)
    if fields is None:
        if not isinstance(item, (tuple, list)):
            raise errors.UsageError(
                f"{type(item).__name__} is no row of CSV.",
                hint="Rows are dicts, tuples, lists, dataclasses or structs.",
            )
        if columns and len(item) != len(columns):
            raise errors.UsageError(f"a row of {len(item)} cells, and there are {len(columns)} columns.")
        return item
    if not fields.keys() <= set(columns):
        named = {str(name): value for name, value in fields.items()}
        if len(named) < len(fields):
            raise errors.UsageError(
                "two keys of the row have one name.", hint="Give each of its keys a name of its own."
            )
        fields = named
    if not fields.keys() <= set(columns):
        unknown = ", ".join(sorted(map(str, fields.keys() - set(columns))))
        raise errors.UsageError(
            f"no column for {unknown}: the file has {', '.join(columns)}.", hint="Name all in to(..., columns=[...])."
        )
    return [fields.get(name) for name in columns]
