"""Who did what: log-ins, definitions, refusals, as lines of JSON in files that do not grow without end.

Covers:     writing, rotating, masking passwords.
Not here:   what is worth writing down (`serving.app`, `serving.connection`).
Holds:      a line while it is written; on disk, `SERVE_AUDIT_BYTES` times `SERVE_AUDIT_FILES`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import Final, final

import msgspec

from flatwater import limits

logger = logging.getLogger("flatwater.live")

_FILE: Final = "audit.log"
_PASSWORD = re.compile("password", re.IGNORECASE)
_encode = msgspec.json.Encoder().encode


def masked(text: str) -> str:
    """A statement without passwords: nothing that stands behind the word is kept, however it is written.

    >>> masked("ALTER USER ada PASSWORD 'secret'")
    'ALTER USER ada PASSWORD ***'
    """
    found = _PASSWORD.search(text)
    return text if found is None else f"{text[: found.end()]} ***"


class _Handler(RotatingFileHandler):
    """One whose files are for their owner alone, and which says once that it cannot write."""

    has_failed = False

    def _open(self):  # type: ignore[no-untyped-def] # noqa: ANN202 - logging's signature
        return open(self.baseFilename, "a", encoding="utf-8", opener=_own)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - logging's name and signature
        """A disk that is full ends no request."""
        if not self.has_failed:
            self.has_failed = True
            logger.error("the audit log cannot be written", exc_info=True)  # noqa: LOG014 - logging calls it in its handler


def _own(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


@final
class Audit:
    """The audit log of a database: `audit.log` in its directory, and older ones beside it. Thread-safe.

    Args:
        path: of the directory.
    """

    def __init__(self, path: str) -> None:
        file = os.path.join(path, _FILE)
        self._handler = _Handler(
            file, maxBytes=limits.SERVE_AUDIT_BYTES, backupCount=limits.SERVE_AUDIT_FILES - 1, delay=True
        )
        self._handler.setFormatter(logging.Formatter("%(message)s"))

    def write(self, event: str, user: str, address: str, **fields: str) -> None:
        """Write down one event; texts are cut, passwords left out. Whatever fails is logged, and ends nothing.

        `why` is an error's message, in which no secret ever is: it stays as it is.
        """
        cut = limits.SERVE_AUDIT_TEXT
        told = {name: (value if name == "why" else masked(value))[:cut] for name, value in fields.items()}
        line = {"at": datetime.now(UTC).isoformat(), "event": event, "user": user[:cut], "address": address, **told}
        with contextlib.suppress(Exception):
            text = _encode(_clean(line)).decode()
            self._handler.handle(logging.LogRecord("audit", logging.INFO, "", 0, "%s", (text,), None))

    def close(self) -> None:
        """End."""
        self._handler.close()


def _clean(line: dict[str, str]) -> dict[str, str]:
    """Without halves of characters, which no JSON has."""
    return {name: value.encode("utf-8", "replace").decode() for name, value in line.items()}
