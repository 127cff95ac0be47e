"""The thread of a client's live queries."""

import threading

import pytest

from flatwater import errors


def names():
    return [thread.name for thread in threading.enumerate()]


def test_its_thread(client):
    """It is there from the first live query on, one for all of them, and ends with the client."""
    assert "flatwater-client" not in names()
    for _ in range(3):
        client.subscribe("SELECT * FROM notes")
    assert names().count("flatwater-client") == 1
    background = client._live
    client.close()
    assert "flatwater-client" not in names()
    assert background.tell(print) is False

    async def nothing():
        return 5

    with pytest.raises(errors.ClosedError):
        background.call(nothing())
