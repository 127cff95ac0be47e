"""Which failures may be tried again, and how long that waits."""

import httpx
import pytest

from flatwater import errors, limits
from flatwater.live.client import retrying


@pytest.mark.parametrize(
    ("error", "reads", "again"),
    [
        (httpx.ConnectError("x"), False, True), (httpx.ConnectTimeout("x"), False, True), (httpx.ReadError("x"), False, False),
        (httpx.WriteError("x"), False, False), (httpx.RemoteProtocolError("x"), False, False), (httpx.ReadError("x"), True, True),
        (httpx.RemoteProtocolError("x"), True, True), (httpx.ReadTimeout("x"), True, False), (httpx.PoolTimeout("x"), True, False),
    ],
)  # fmt: skip
def test_what_is_tried_again(error, reads, again):
    """What a server cannot have received, and of what changes nothing all but silence."""
    assert isinstance(retrying.failed(error, reads=reads), retrying.Again) is again


@pytest.mark.parametrize(
    ("status", "after", "reads", "again"),
    [(429, "1", True, True), (503, "0", True, True), (503, "", True, False), (503, "1", False, False), (500, "1", True, False),
     (429, "Fri, 31 Dec", True, False), (429, "9" * 400, True, False)],
)  # fmt: skip
def test_what_a_server_asks_for(status, after, reads, again):
    """A server says whether time helps; only what changes nothing is said again."""
    found = retrying.refused(status, after, errors.BrokenError("x"), reads=reads)
    assert isinstance(found, retrying.Again) is again


def test_pauses():
    """They grow to a bound, and are never none."""
    for attempt in range(1_000):
        pause = retrying.pause_of(attempt)
        assert limits.CLIENT_PAUSE_S / 2 <= pause <= limits.CLIENT_PAUSE_S_MAX
    assert retrying.pause_of(100) >= limits.CLIENT_PAUSE_S_MAX / 2


def test_the_last_error_is_raised(quick):
    """After so many tries."""
    tries = []

    def fail():
        tries.append(1)
        raise retrying.Again(errors.BrokenError(f"number {len(tries)}."))

    with pytest.raises(errors.BrokenError, match="number 6"):
        retrying.turns(pause_s=0.001)(fail)
    assert len(tries) == limits.CLIENT_TRIES
