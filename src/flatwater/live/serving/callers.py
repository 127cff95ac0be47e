"""What a server is told about who calls it: its names, origins of pages, proxies; checked before it starts.

Covers:     forms that never match anything are refused, each with the one that was meant.
Not here:   whether a request matches (`serving.service`), the port (`serving.server`).
Holds:      nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Final

from flatwater import errors

_LABEL: Final = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_HOST: Final = rf"({_LABEL}(\.{_LABEL})*\.?|\[[0-9a-f:.]+\])(:[0-9]{{1,5}})?"
_is_host = re.compile(_HOST, re.IGNORECASE).fullmatch
_is_origin = re.compile(rf"[a-z][a-z0-9+.-]*://{_HOST}", re.IGNORECASE).fullmatch
_DEFAULT_PORTS: Final = (("http://", ":80"), ("https://", ":443"))  # browsers leave them away


def checked_hosts(hosts: Sequence[str]) -> list[str]:
    """Names that clients call the server by.

    Raises:
        UsageError: one of them is in no request.
    """
    return _checked("hosts", hosts, lambda host: host == "*" or _is_host(host) is not None, _host_hint)


def checked_origins(origins: Sequence[str]) -> list[str]:
    """Origins of pages from elsewhere, as browsers send them.

    Raises:
        UsageError: no browser sends one of them.
    """
    return _checked("origins", origins, _is_sent, _origin_hint)


def checked_proxies(proxies: Sequence[str]) -> list[str]:
    """Addresses of reverse proxies, or networks of them.

    Raises:
        UsageError: one of them is no address.
    """
    return _checked("proxies", proxies, _is_address, _proxy_hint)


def _checked(name: str, given: Sequence[str], holds: Callable[[str], bool], hint: Callable[[str], str]) -> list[str]:
    if isinstance(given, str):
        raise errors.UsageError(f"{name}={given!r:.80} is a text.", hint=f"Give a list: {name}=[{given!r:.80}].")
    for one in given:
        if not isinstance(one, str) or not holds(one):
            raise errors.UsageError(f"{one!r:.80} in {name} never matches.", hint=hint(str(one)[:200]))
    return list(given)


def _host_hint(host: str) -> str:
    if "://" in host or "/" in host:
        return "Give the name alone, such as db.example."
    if host.count(":") > 1:
        return f"Give an address of IPv6 in brackets: [{host}]."
    return "Give a name as clients write it, such as db.example, or * for any."


def _is_sent(origin: str) -> bool:
    return _is_origin(origin) is not None and not _port_left_away(origin)


def _port_left_away(origin: str) -> str:
    """The port that a browser would leave away; "" where there is none."""
    return next((p for scheme, p in _DEFAULT_PORTS if origin.lower().startswith(scheme) and origin.endswith(p)), "")


def _origin_hint(origin: str) -> str:
    if port := _port_left_away(origin):
        return f"Browsers leave this port away: {origin.removesuffix(port)}."
    found = _is_origin(origin.split("/", 3)[0] + "//" + origin.split("/", 3)[2]) if origin.count("/") > 2 else None  # noqa: PLR2004 - a path's
    if found is not None:
        return f"An origin has no path: {found[0]}."
    if origin in {"*", "null"}:
        return "Name each origin, such as https://app.example: pages of any other one do not get in."
    return "Give scheme and name, and a port that is not the scheme's own, such as https://app.example."


def _is_address(proxy: str) -> bool:
    if proxy == "*":
        return True
    try:
        (ipaddress.ip_network if "/" in proxy else ipaddress.ip_address)(proxy)
    except ValueError:
        return False
    return True


def _proxy_hint(proxy: str) -> str:
    if "/" in proxy:
        try:
            return f"A network has no bits behind its prefix: {ipaddress.ip_network(proxy, strict=False)}."
        except ValueError:
            pass
    return "Give the proxy's address, not its name, such as 10.0.0.2, or a network, such as 10.0.0.0/24."
