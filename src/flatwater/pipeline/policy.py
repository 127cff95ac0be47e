"""What happens to an item that a stage cannot do: the run ends and says which, or the item is passed over and told.

Covers:     "raise" and "skip", a bounded list of what was passed over, handing it to a file of dead letters.
Not here:   finding the item in its batch (`pipeline.stages`), the file (`pipeline.dead_letters`).
Holds:      the failures it keeps; see `Policy.bytes_max`.
"""

from __future__ import annotations

import os
import reprlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from flatwater import errors, limits
from flatwater.pipeline.report import Failure, Gauge

if TYPE_CHECKING:
    from flatwater.pipeline.dead_letters import DeadLetters
    from flatwater.pipeline.reading import Position

POLICIES: Final = ("raise", "skip")
_SHOWN_CHARS = 120


class Policy:
    """Of one run. Thread-safe.

    Args:
        name: "raise" or "skip".
        dead_letters: path of a file that takes the items; "" for none.

    Attributes:
        count: items that were passed over.
        kept: the first of them.
        where: the source's name, and where it is.
        has_letters: there is a file that takes the items.
        refuse_stopped: for who waits: raises, if the run was stopped.
    """

    def __init__(self, name: str, dead_letters: str | os.PathLike[str] = "") -> None:
        if name not in POLICIES:
            raise errors.UsageError(f"on_error={name!r} is not known.", hint=f"Take one of {', '.join(POLICIES)}.")
        self.name = name
        self.count = 0
        self.kept: list[Failure] = []
        self.where: Callable[[], tuple[str, Position]] | None = None
        self.has_letters = bool(dead_letters)
        self.refuse_stopped: Callable[[], None] = lambda: None
        self._path = dead_letters
        self._letters: DeadLetters | None = None
        self._lock = threading.Lock()

    @staticmethod
    def bytes_max() -> int:
        """The most it holds, in bytes."""
        total = 0
        total += limits.FLOW_FAILURES_KEPT * limits.FLOW_FAILURE_BYTES  # the failures that are kept
        return total

    def open(self, known: tuple[str, int] | None = None) -> None:
        """Open the file of dead letters, if there is one; what is behind what a killed run had `known` of it is done again."""
        if self._path:
            from flatwater.pipeline.dead_letters import DeadLetters

            path, length = known or ("", 0)
            self._letters = DeadLetters(self._path, length if path == os.path.realpath(self._path) else None)

    def commit(self) -> tuple[str, int] | None:
        """Make dead letters last, and say where they are and how many bytes of them there are."""
        return None if self._letters is None else (os.path.realpath(self._path), self._letters.sync())

    def close(self) -> None:
        """Close their file, and forget the source."""
        self.where = None  # it refers to the run, which refers to this
        if self._letters is not None:
            self._letters.close()

    def failed(self, gauge: Gauge, number: int, item: Any, error: Exception) -> None:
        """An item failed: raise what it raised, with a note where that was, or go on.

        Raises:
            What the stage's function raised.
        """
        source = offset = ""
        if self.where is not None:
            source, position = self.where()
            is_told = position.token is not None and not position.skip  # else it is a place some items in front
            offset = f"item {position.count:,}" + (f" ({position.token!r:.60})" if is_told else "")
        failure = Failure(gauge.name, number, shown(item), shown(error), source, offset)
        if self.name == "raise":
            if isinstance(error, StopIteration):
                error = RuntimeError("the function raised StopIteration")  # which ends a generator in silence
            error.add_note(f"flatwater: in stage {failure}")
            try:
                raise error
            finally:
                del error  # its traceback has this frame: they would hold each other, and with them the batch
        error.with_traceback(None)  # whose frames hold the batch
        self.passed_over(gauge, failure, item)

    def located(self, error: Exception, name: str) -> None:
        """An error that is of no item, such as the source's own: say where the source was, unless it says so already."""
        if self.where is not None and not any(
            "flatwater: in " in str(each) for each in getattr(error, "__notes__", ())
        ):
            source, position = self.where()
            error.add_note(f"flatwater: in {name}, source {source} behind item {position.count:,}")

    def passed_over(self, gauge: Gauge, failure: Failure, item: Any) -> None:
        """Count an item that failed, and keep what there is room for."""
        with self._lock:
            self.count += 1
            if len(self.kept) < limits.FLOW_FAILURES_KEPT:
                self.kept.append(failure)
            if self._letters is not None:
                self._letters.add(gauge.at, failure, item)
        gauge.skipped += 1


_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = _SHOWN_CHARS


def shown(value: Any) -> str:
    """The beginning of what a value looks like, whatever it is; nothing large is made for it."""
    try:
        if isinstance(value, (bytes, bytearray)):
            return repr(bytes(value[:40]))
        return _repr.repr(value)[:_SHOWN_CHARS]
    except Exception:  # noqa: BLE001 - it is any user's object
        return f"<{type(value).__name__}>"
