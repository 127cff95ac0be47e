"""The thread of a client's live queries."""

import threading
import time

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


def test_a_function_for_tokens_that_never_returns(served, client_of):
    """The client ends all the same, and who waits for its live query is told."""
    asked, go_on, told = threading.Event(), threading.Event(), []

    def token():
        asked.set()
        go_on.wait(60)
        return served.token()

    client = client_of(served.url, token=token)

    def follow():
        try:
            client.subscribe("SELECT * FROM notes")
        except errors.FlatwaterError as error:
            told.append(error)

    following = threading.Thread(target=follow)
    following.start()
    assert asked.wait(20)
    begin = time.monotonic()
    client.close()
    assert time.monotonic() - begin < 20
    following.join(20)
    assert not following.is_alive()
    assert isinstance(told[0], errors.ClosedError)
    go_on.set()


@pytest.mark.parametrize("raised", [ValueError("no"), errors.UsageError("no")])
def test_a_function_for_tokens_that_fails(served, client_of, raised):
    """Its error is that of the call."""

    def token():
        raise raised

    with pytest.raises(type(raised)):
        client_of(served.url, token=token).subscribe("SELECT * FROM notes")
