"""The handshake of a WebSocket: who may come in, and what others are told.

Covers:     the request as the `websockets` library reads it, names and origins, places.
Not here:   what is said behind it (`serving.connection`).
Holds:      nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from websockets.http11 import Request
from websockets.server import ServerProtocol

from flatwater import errors

if TYPE_CHECKING:
    from flatwater.live.serving.service import Service

logger = logging.getLogger("flatwater.live")

PATH = "/v1/live"


class Upgrade(NamedTuple):
    """An answer.

    Attributes:
        answer: bytes of it.
        is_admitted: it has a place, which is to be given back.
        is_taken: it is a WebSocket from here on.
        token: that came with it; "" if none did.
    """

    answer: bytes
    is_admitted: bool = False
    is_taken: bool = False
    token: str = ""


def upgraded(service: Service, head: bytes) -> Upgrade:
    """What becomes of a request, which is there in one piece."""
    protocol = ServerProtocol(max_size=None, logger=logger)
    protocol.receive_data(head)
    request = next((event for event in protocol.events_received() if isinstance(event, Request)), None)
    if request is None:
        return Upgrade(protocol.reject(400, "the request is no handshake of a WebSocket\n").serialize())
    response = _refusal(service, protocol, request)
    is_admitted = response is None
    response = response or protocol.accept(request)
    protocol.send_response(response)
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return Upgrade(
        b"".join(protocol.data_to_send()), is_admitted, response.status_code == 101,  # noqa: PLR2004 - Switching Protocols
        token.strip() if kind.lower() == "bearer" else "",
    )  # fmt: skip


def _refusal(service: Service, protocol: ServerProtocol, request: Request) -> Any:
    """The response to who may not come in; None for others, who have a place then."""
    if request.path.partition("?")[0] != PATH:
        return protocol.reject(404, f"there is nothing here: live queries are at {PATH}\n")
    if request.headers.get_all("Sec-WebSocket-Version")[:1] not in ([], ["13"]):
        response = protocol.reject(426, "the version of WebSockets is 13\n")
        response.headers["Upgrade"], response.headers["Sec-WebSocket-Version"] = "websocket", "13"
        return response
    hosts, origins = request.headers.get_all("Host"), request.headers.get_all("Origin")
    if not service.is_host(hosts[0] if len(hosts) == 1 else ""):
        return protocol.reject(421, "the server is not known by this name\n")
    if origins and not service.is_origin(origins[0], hosts[0]):
        return protocol.reject(403, "pages of this origin may not connect\n")
    try:
        service.admission.connect()
    except errors.FlatwaterError as error:
        response = protocol.reject(503, f"{error}\n")
        response.headers["Retry-After"] = "5"
        return response
    return None
