"""Connections to one FTP server that wait for the next worker.

Covers:     idle ones, those that died meanwhile, a server that allows no more of them.
Not here:   one connection (`sync.remotes.ftp_link`).
Holds:      as many connections as workers used at the same time; see `bytes_max`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import final

from flatwater import limits
from flatwater.sync.failures import TemporaryFailure
from flatwater.sync.remotes.ftp_link import CrowdedFailure, Link


@final
class Pool:
    """Thread-safe.

    Args:
        opened: makes one more connection.
        clock: seconds, rising.
    """

    def __init__(self, opened: Callable[[], Link], clock: Callable[[], float] = time.monotonic) -> None:
        self._opened = opened
        self._clock = clock
        self._changed = threading.Condition()
        self._idle: list[Link] = []
        self._used = 0  # taken, or being opened
        self._granted = 0  # how many the server allowed when it refused one more; 0 is not known
        self._granted_until = 0.0  # after which one more is tried again
        self._epoch = 0  # each close begins another: connections of earlier ones do not come back

    def take(self) -> Link:
        """A connection: the one that was used last, or one more.

        Raises:
            TemporaryFailure: none was free in time, or it cannot be opened.
            RemoteFailure: it cannot be opened.
        """
        until = self._clock() + limits.SYNC_FTP_WAIT_S
        while True:
            link = self._idle_one(until)
            if link is None:
                link = self._one_more()
                if link is None:
                    continue
                link.epoch = self._epoch
                return link
            idle_s = self._clock() - link.used_s
            if idle_s < limits.SYNC_FTP_IDLE_S or link.is_alive():
                return link.taken()
            self.drop(link)

    def _idle_one(self, until: float) -> Link | None:
        """An idle one; None if another may be opened, which is counted as used by then."""
        with self._changed:
            while True:
                if self._idle:
                    self._used += 1
                    return self._idle.pop()
                now = self._clock()
                if not self._granted or self._used < self._granted or now >= self._granted_until:
                    self._used += 1
                    return None
                if now >= until:
                    raise TemporaryFailure(
                        f"no connection was free for {limits.SYNC_FTP_WAIT_S:g} s: the server allows {self._granted}."
                    )
                self._changed.wait(min(until, self._granted_until) - now)

    def _one_more(self) -> Link | None:
        """A new one; None if the server allows no more, and some are in use or idle."""
        try:
            return self._opened()
        except CrowdedFailure:
            with self._changed:
                self._used -= 1
                self._changed.notify()
                granted = self._used + len(self._idle)
                if not granted:
                    raise
                self._granted = max(1, granted)
                self._granted_until = self._clock() + limits.SYNC_FTP_GRANTED_S
            return None
        except BaseException:
            with self._changed:
                self._used -= 1
                self._changed.notify()
            raise

    def give(self, link: Link) -> None:
        """It is free again, and all its answers were read."""
        link.used_s = self._clock()
        with self._changed:
            self._used -= 1
            keep = link.epoch == self._epoch
            if keep:
                self._idle.append(link)
            self._changed.notify()
        if not keep:
            link.quit()

    def back(self, link: Link) -> None:
        """It is free again if it is in a known good state, and dropped if not."""
        if link.is_clean:
            self.give(link)
        else:
            self.drop(link)

    def drop(self, link: Link) -> None:
        """It is not to be used any more."""
        link.close()
        with self._changed:
            self._used -= 1
            self._changed.notify()

    def close(self) -> None:
        """Close those that are idle, and the others when they come back."""
        with self._changed:
            idle, self._idle = self._idle, []
            self._epoch += 1
            self._granted = 0
        for link in idle:
            link.quit()


def bytes_max(workers: int) -> int:
    """The most that connections of so many workers hold, in bytes."""
    total = 0
    total += workers * 2 * limits.SYNC_FTP_LINK_BYTES  # one each, and one more while it reads from the same server
    total += workers * limits.SYNC_FTP_REPLY_BYTES  # an answer that is being read
    return total
