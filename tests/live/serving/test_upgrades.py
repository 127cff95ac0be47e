"""Handshakes: who may come in, and what others are told."""

import pytest

from flatwater import errors
from flatwater.live.serving.upgrades import upgraded

HEADERS = {
    "Host": "here", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
}  # fmt: skip


class Service:
    """A service that is known as "here", with so many places."""

    def __init__(self, places=1):
        self.admission, self.places = self, places

    def is_host(self, host):
        return host == "here"

    def is_origin(self, origin, _host):
        return origin == "https://here"

    def connect(self):
        if not self.places:
            raise errors.LimitReached("there is no place.", what="connections", limit=0)
        self.places -= 1


def asked(service, path="/v1/live", method="GET", **changed):
    headers = HEADERS | {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return upgraded(service, "\r\n".join([*lines, "", ""]).encode())


@pytest.mark.parametrize(
    ("path", "headers", "token"),
    [
        ("/v1/live", {}, ""),
        ("/v1/live?x=1", {"Origin": "https://here"}, ""),
        ("/v1/live", {"Authorization": "Bearer  abc "}, "abc"),
        ("/v1/live", {"Authorization": "bearer abc"}, "abc"),
        ("/v1/live", {"Authorization": "Basic abc"}, ""),
        ("/v1/live", {"Authorization": "Bearer"}, ""),
    ],
)
def test_who_comes_in(path, headers, token):
    """He has a place, and brings a token or says it later; the answer to the RFC's key is the RFC's."""
    service = Service()
    upgrade = asked(service, path, **headers)
    assert (upgrade.is_admitted, upgrade.is_taken, upgrade.token) == (True, True, token)
    assert upgrade.answer.startswith(b"HTTP/1.1 101 ")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in upgrade.answer
    assert service.places == 0


@pytest.mark.parametrize(
    ("status", "path", "headers"),
    [
        (404, "/", {}), (404, "/v1/live/", {}), (421, "/v1/live", {"Host": "elsewhere"}), (421, "/v1/live", {"Host": None}),
        (403, "/v1/live", {"Origin": "https://elsewhere"}), (426, "/v1/live", {"Sec_WebSocket_Version": "8"}),
    ],
)  # fmt: skip
def test_who_does_not(status, path, headers):
    """He is told why, and takes no place."""
    service = Service()
    upgrade = asked(service, path, **headers)
    assert not upgrade.is_admitted
    assert not upgrade.is_taken
    assert upgrade.answer.startswith(b"HTTP/1.1 %d " % status)
    assert service.places == 1


def test_no_place():
    """Who comes when there is none is told to come later."""
    upgrade = asked(Service(places=0))
    assert upgrade.answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 5" in upgrade.answer
    assert not upgrade.is_admitted


def test_a_handshake_that_is_none():
    """Without a key there is no WebSocket; the place is to be given back. What is no request at all is told so."""
    upgrade = asked(Service(), Sec_WebSocket_Key=None)
    assert (upgrade.is_admitted, upgrade.is_taken) == (True, False)
    assert upgrade.answer.startswith(b"HTTP/1.1 400 ")
    assert upgraded(Service(), b"nothing\r\n\r\n").answer.startswith(b"HTTP/1.1 400 ")
