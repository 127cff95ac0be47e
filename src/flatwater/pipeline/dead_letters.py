"""A file of items that failed, one JSON object a line, from which they can be run again.

Covers:     writing them as they fail, reading them, which stage each one failed in.
Not here:   what is done about failures (`pipeline.policy`), running them again (`Flow.replay`).
Holds:      one item.

Plain data is JSON, bytes are base64. Any other object is pickled; it is read again only by who says that the file is
trusted, because reading a pickle can run any code.
"""

from __future__ import annotations

import base64
import math
import os
import pickle
import stat
from collections.abc import Iterator
from typing import Any, NamedTuple, final

import msgspec

from flatwater import errors, limits
from flatwater.pipeline.pieces import Piece
from flatwater.pipeline.report import Failure
from flatwater.sizing.sizer import Sizer

_DEEPEST = 100


class Letter(NamedTuple):
    """One item that failed.

    Attributes:
        stage: the number of the stage, from 1 on.
        name: of the stage.
        item: itself.
        line: of the file.
    """

    stage: int
    name: str
    item: Any
    line: int


@final
class DeadLetters:
    """A file that items are added to.

    Args:
        path: of the file; what is in it stays.
        length: of what is known to be whole, when a job goes on after a kill.
    """

    def __init__(self, path: str | os.PathLike[str], length: int | None = None) -> None:
        self.path = os.fspath(path)
        self._sizer = Sizer()
        try:
            self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115 - closed by `close`
            self._is_regular = stat.S_ISREG(os.fstat(self._file.fileno()).st_mode)
            if length is not None:
                self._cut(length)
            self._end_last_line()
        except OSError as error:
            raise errors.BrokenError(
                f"{self.path} cannot be written: {error.strerror}.", hint="Name a file in a folder that is there."
            ) from error

    def _cut(self, length: int) -> None:
        if self._is_regular and length < os.fstat(self._file.fileno()).st_size:
            self._file.truncate(length)

    def _end_last_line(self) -> None:
        """That of a program which died in the middle of it takes no whole line with it."""
        size = os.fstat(self._file.fileno()).st_size if self._is_regular else 0
        if size:
            with open(self.path, "rb") as file:
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    self._file.write(b"\n")

    def add(self, stage: int, failure: Failure, item: Any) -> None:
        """Write it down."""
        letter = {
            "stage": stage, "name": failure.stage, "number": failure.number, "error": failure.error,
            "source": failure.source, "offset": failure.offset, **self._encoded(item),
        }  # fmt: skip
        line = memoryview(msgspec.json.encode(letter) + b"\n")
        before = os.fstat(self._file.fileno()).st_size
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError as error:
            self._cut(before)  # no half of a line, which nobody could read
            raise errors.BrokenError(
                f"writing {self.path} failed: {error.strerror}.", hint="Make room, and run it again."
            ) from error

    def sync(self) -> int:
        """Make it last, and say how long it is."""
        if not self._is_regular:
            return 0
        try:
            os.fsync(self._file.fileno())
            return os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise errors.BrokenError(
                f"writing {self.path} failed: {error.strerror}.", hint="Make room, and run it again."
            ) from error

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def _encoded(self, item: Any) -> dict[str, Any]:
        if self._sizer.row(item) > limits.FLOW_DEAD_LETTER_BYTES:
            return {"lost": f"it is larger than {limits.FLOW_DEAD_LETTER_BYTES:,} bytes"}
        if _is_plain(item):
            return {"item": item}
        if isinstance(item, Piece):
            return {"piece": list(item)}
        if isinstance(item, bytes):
            return {"bytes": base64.b64encode(item).decode()}
        try:
            return {"pickle": base64.b64encode(pickle.dumps(item, pickle.HIGHEST_PROTOCOL)).decode()}
        except Exception as error:  # noqa: BLE001 - whatever somebody's object raises
            return {"lost": f"it cannot be pickled: {error}"[:200]}


def letters(path: str | os.PathLike[str], *, trusted: bool = False) -> Iterator[Letter]:
    """The items of a file, in their order.

    Raises:
        UsageError: an item is pickled, and nobody said that the file is trusted; it cannot be run again; it is no such file.
    """
    from flatwater.source.files.line_reader import lines

    for number, line in enumerate(lines(path, 2 * limits.FLOW_DEAD_LETTER_BYTES, encoding=None), 1):
        where = f"line {number:,} of {os.fspath(path)}"
        try:
            letter = msgspec.json.decode(line)
            stage, name = int(letter["stage"]), str(letter["name"])
            item = _item_of(letter, where, trusted=trusted)
        except errors.UsageError:
            raise
        except (ValueError, msgspec.MsgspecError, KeyError, TypeError, RecursionError) as error:
            raise errors.UsageError(f"{where} is no dead letter.", hint="Name a file of dead letters.") from error
        yield Letter(stage, name, item, number)


def _item_of(letter: dict[str, Any], where: str, *, trusted: bool) -> Any:
    if "item" in letter:
        return letter["item"]
    if "bytes" in letter:
        return base64.b64decode(letter["bytes"], validate=True)
    if "piece" in letter:
        return Piece(*letter["piece"])
    if "pickle" not in letter:
        raise errors.UsageError(
            f"{where} has no item to run again: {letter.get('lost', 'it is not there')}.",
            hint="Remove the line, and run that item from its source.",
        )
    if not trusted:
        raise errors.UsageError(
            f"{where} is a pickled object, and reading one can run any code.",
            hint="If nobody else can write to the file: replay(..., trusted=True).",
        )
    pickled = base64.b64decode(letter["pickle"], validate=True)
    try:
        return pickle.loads(pickled)  # noqa: S301 - somebody said that it is trusted
    except Exception as error:
        raise errors.UsageError(
            f"{where} has an object that cannot be read: {error}.", hint="Replay it with the program that wrote it."
        ) from error


def _is_plain(item: Any, depth: int = 0) -> bool:
    """Whether JSON gives back what it is."""
    kind = type(item)
    if item is None or kind is bool:
        return True
    if kind is str:
        return bool(item.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in item))
    if kind is int:
        return bool(-(1 << 63) <= item < 1 << 63)
    if kind is float:
        return math.isfinite(item)
    if depth > _DEEPEST:
        return False
    if kind is list:
        return all(_is_plain(each, depth + 1) for each in item)
    if kind is dict:
        return all(type(key) is str and _is_plain(key) and _is_plain(each, depth + 1) for key, each in item.items())
    return False
