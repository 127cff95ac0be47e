"""Who is inside of an engine, so that one who changes the ground under all of them can wait until they are out.

Covers:     calls that come and go, shutting for a while, closing for good, a process that was forked.
Not here:   what the calls do (`engines.lmdb`, `engines.rocksdb`), locks between processes (`store.directory`).
Holds:      one object for each call at work.

A call puts a token of its own into a set and takes it out again, both atomic: no lock is taken for a read. An interrupt
at any point leaves no token behind, because it is taken out by the one `finally` that also stands around putting it in.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Final, final

from flatwater import errors

CLOSED: Final = "it was closed"
FORKED: Final = "it was opened before this process was forked"
BROKEN: Final = "it was closed by an error"
_PAUSE_S = (
    0.0005  # between looks at those who are still inside; no Event: an interrupt inside of one leaves its lock taken
)
_PAUSE_S_MAX = 0.01  # between looks at the door
_doors: weakref.WeakSet[Door] = weakref.WeakSet()


@final
class Door:
    """Calls of one engine come through it.

        token = object()
        try:
            door.inside.add(token)
            if door.reason:
                door.wait(token)
            ...
        finally:
            door.inside.discard(token)

    Args:
        path: of the store, for errors.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.inside: set[object] = set()
        self.reason = ""  # why nobody may come in
        self.writing = threading.Lock()  # of those who take turns
        self.let_go: Callable[[], None] | None = None  # what a forked child does with what it inherited
        _doors.add(self)

    def wait(self, token: object) -> None:
        """Step out, and in again when the door is open.

        Raises:
            ClosedError: it will not be opened any more.
        """
        pause = _PAUSE_S
        while self.reason:
            self.inside.discard(token)
            self.refuse_closed()
            time.sleep(pause)
            pause = min(2 * pause, _PAUSE_S_MAX)
            self.inside.add(token)

    def refuse_closed(self) -> None:
        """Before work that goes through no call.

        Raises:
            ClosedError: it was closed for good.
        """
        if self.reason in {CLOSED, FORKED, BROKEN}:
            raise errors.ClosedError(f"the store {self.path} cannot be used: {self.reason}.", hint="Open it again.")

    def shut(self, reason: str) -> None:
        """Let nobody in, and wait until all are out; the caller is not inside."""
        self.reason = reason
        try:
            while self.inside:
                time.sleep(_PAUSE_S)
        except BaseException:
            self.reason = ""  # an interrupt: nobody waits for one who has gone
            raise

    def open(self) -> None:
        """Let all in again."""
        self.reason = ""

    def after_fork(self) -> None:
        """In the child: the parent's threads are not here, and the engine is the parent's."""
        self.reason = FORKED
        self.writing = threading.Lock()
        self.inside.clear()
        if self.let_go is not None:
            self.let_go()


def _forked() -> None:
    for door in list(_doors):
        door.after_fork()


os.register_at_fork(after_in_child=_forked)
