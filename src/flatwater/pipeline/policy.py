"""What happens to an item that a stage cannot do: the run ends and says which, or the item is passed over and told.

Covers:     "raise" and "skip", a bounded list of what was passed over.
Not here:   finding the item in its batch (`pipeline.stages`).
Holds:      the failures it keeps; see `Policy.bytes_max`.
"""

from __future__ import annotations

import reprlib
import threading
from typing import Any, Final, final

from flatwater import errors, limits
from flatwater.pipeline.report import Failure, Gauge

POLICIES: Final = ("raise", "skip")
_SHOWN_CHARS = 120


@final
class Policy:
    """Of one run. Thread-safe.

    Args:
        name: "raise" or "skip".
    """

    def __init__(self, name: str) -> None:
        if name not in POLICIES:
            raise errors.UsageError(f"on_error={name!r} is not known.", hint=f"Take one of {', '.join(POLICIES)}.")
        self.name = name
        self.count = 0
        self.kept: list[Failure] = []
        self._lock = threading.Lock()

    @staticmethod
    def bytes_max() -> int:
        """The most it holds, in bytes."""
        total = 0
        total += limits.FLOW_FAILURES_KEPT * limits.FLOW_FAILURE_BYTES  # the failures that are kept
        return total

    def failed(self, gauge: Gauge, number: int, item: Any, error: Exception) -> None:
        """An item failed: raise what it raised, with a note where that was, or go on.

        Raises:
            What the stage's function raised.
        """
        failure = Failure(gauge.name, number, shown(item), shown(error))
        if self.name == "raise":
            error.add_note(f"flatwater: in stage {failure}")
            raise error
        with self._lock:
            self.count += 1
            if len(self.kept) < limits.FLOW_FAILURES_KEPT:
                self.kept.append(failure)
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
