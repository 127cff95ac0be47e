"""What was typed into the shell earlier, in a file of the user's own.

Covers:     the file, its rights and size, what is not kept: statements with passwords.
Not here:   the prompt (`cli.sql_shell`).
Holds:      the statements of the file.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator

from prompt_toolkit.history import History as Base

from flatwater import limits
from flatwater.cli import main

_SECRET = re.compile(r"passw", re.IGNORECASE)


class History(Base):
    """Statements, one a line of JSON, oldest first. A file that cannot be had changes nothing about the shell.

    Args:
        path: of the file; `sql_history` below $XDG_STATE_HOME/flatwater or ~/.local/state/flatwater.
    """

    def __init__(self, path: str | None = None) -> None:
        super().__init__()
        self.path = _path() if path is None else path
        self._is_told = False

    def append_string(self, string: str) -> None:
        """Keep a statement, unless it has a password in it: that is not offered again, either."""
        if not _SECRET.search(string) and string.strip():
            super().append_string(string.strip())

    def load_history_strings(self) -> Iterable[str]:
        """Newest first."""
        with self._surviving():
            self._halve()
            with open(self.path, "rb") as file:
                lines = file.read(limits.SHELL_HISTORY_BYTES).splitlines()
            return [text for line in reversed(lines) if (text := _text(line)) is not None]
        return []

    def store_string(self, string: str) -> None:
        """Add one, in one write, for several shells at once."""
        line = json.dumps(string, ensure_ascii=True).encode() + b"\n"
        if len(line) > limits.SHELL_HISTORY_ENTRY_BYTES:
            return
        with self._surviving():
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            file = os.open(self.path, flags, 0o600)
            try:
                if hasattr(os, "fchmod") and stat.S_IMODE(os.fstat(file).st_mode) & 0o077:
                    os.fchmod(file, 0o600)
                os.write(file, line)
            finally:
                os.close(file)
            self._halve()

    def _halve(self) -> None:
        """Of a file that is too large the newer half is kept."""
        try:
            if os.stat(self.path).st_size <= limits.SHELL_HISTORY_BYTES:
                return
        except FileNotFoundError:
            return
        with open(self.path, "rb") as file:
            file.seek(-(limits.SHELL_HISTORY_BYTES // 2), os.SEEK_END)
            rest = file.read().partition(b"\n")[2]
        made = f"{self.path}.{os.getpid()}"
        with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(rest)
        os.replace(made, self.path)

    @contextlib.contextmanager
    def _surviving(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            return
        except OSError as error:
            if not self._is_told:
                self._is_told = True
                main.say(f"flatwater: what is typed is not kept: {(error.strerror or str(error)).lower()}.")


def _path() -> str:
    state = os.environ.get("XDG_STATE_HOME") or ""
    if not os.path.isabs(state):
        state = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "flatwater", "sql_history")


def _text(line: bytes) -> str | None:
    try:
        text = json.loads(line)
    except (ValueError, RecursionError):  # half a line, or somebody else's
        return None
    return text if isinstance(text, str) else None
