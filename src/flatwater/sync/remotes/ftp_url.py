"""A URL of an FTP server, with options, as the settings of a connection.

Covers:     ftp:// and ftps://, users and passwords (also from ~/.netrc), certificates, the root.
Not here:   connections (`sync.remotes.ftp_link`).
Holds:      nothing.
"""

from __future__ import annotations

import contextlib
import netrc
import ssl
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit

from flatwater import errors, limits
from flatwater.sync.remote import refused_path
from flatwater.sync.remotes.ftp_link import Settings

OPTIONS = ("ca_file", "encoding", "passive", "timeout_s", "tls", "verify")
_PORT, _IMPLICIT_PORT = 21, 990
_CONTROLS = frozenset("\r\n\x00\xff")


class Target(NamedTuple):
    """Where an FTP remote is.

    Attributes:
        settings: of its connections.
        root: its path; relative to the folder of the login unless it begins with "/".
        url: for people, without the password.
    """

    settings: Settings
    root: bytes
    url: str


def target(url: str, options: Mapping[str, str]) -> Target:
    """What a user typed.

    Raises:
        UsageError: it says nothing that can be reached; its message has nothing secret.
    """
    split = _split(url)
    for name in options:
        if name not in OPTIONS:
            raise errors.UsageError(f"{name!r} is no option of FTP.", hint=f"There are {', '.join(OPTIONS)}.")
    if options.get("encoding", "bytes") != "bytes":
        raise errors.UsageError("encoding: names are passed on byte by byte.", hint="Leave it out, or write bytes.")
    host = split.hostname or ""
    is_secure = split.scheme == "ftps"
    tls = _choice(options, "tls", ("explicit", "implicit"))
    if not is_secure and {"tls", "ca_file", "verify"} & options.keys():
        raise errors.UsageError("tls, ca_file and verify are of ftps:// only.", hint="Write ftps:// for TLS.")
    is_implicit = is_secure and tls == "implicit"
    default_port = _IMPLICIT_PORT if is_implicit else _PORT
    port = _port(split) or default_port
    user, password = _login(split, host)
    settings = Settings(
        host=host,
        port=port,
        user=user,
        password=password,
        context=_context(options) if is_secure else None,
        is_implicit=is_implicit,
        is_passive=_choice(options, "passive", ("yes", "no")) == "yes",
        timeout_s=_timeout_s(options),
    )
    root = _root(split.path)
    shown_host = f"[{host}]" if ":" in host else host
    shown_user = "" if user == "anonymous" else quote(user.encode("latin-1")) + "@"
    shown_port = "" if port == default_port else f":{port}"
    shown_root = "%2F" + quote(root[1:]) if root.startswith(b"/") else quote(root)
    return Target(settings, root, f"{split.scheme}://{shown_user}{shown_host}{shown_port}/{shown_root}")


def _split(url: str) -> SplitResult:
    encode = "Write the characters / ? # @ : % in a user, a password or a path as %2F %3F %23 %40 %3A %25."
    try:
        split = urlsplit(url)
    except ValueError:  # its message may have a part of the password
        split = SplitResult("", "", "", "", "")
    if split.scheme not in {"ftp", "ftps"} or not split.hostname:
        raise errors.UsageError("this is no URL of an FTP server.", hint=f"Write ftp://user@host/path. {encode}")
    cut_short = ":" in split.netloc and "@" not in split.netloc and "@" in split.path
    if split.query or split.fragment or "?" in url or "#" in url or cut_short:
        raise errors.UsageError("the URL of the FTP server has a ?, a # or an @ where none can be.", hint=encode)
    return split


def _port(split: SplitResult) -> int:
    port: int | None = -1
    with contextlib.suppress(ValueError):  # its message may have a part of the password
        port = split.port
    if port is None:
        return 0
    if port <= 0:
        raise errors.UsageError("the port in the URL of the FTP server is no number from 1 to 65535.")
    return port


def _login(split: SplitResult, host: str) -> tuple[str, str]:
    """Who we are: as the URL says, or as ~/.netrc does."""
    user = unquote_to_bytes(split.username or "").decode("latin-1")
    password = unquote_to_bytes(split.password or "").decode("latin-1")
    if not split.password and (found := _netrc(host)) is not None and user in {"", found[0]}:
        user, password = found
    if _CONTROLS & {*user, *password}:
        raise errors.UsageError("the user or the password for the FTP server has a byte that FTP cannot carry.")
    return user or "anonymous", password


def _netrc(host: str) -> tuple[str, str] | None:
    line: int | None
    try:
        found = netrc.netrc().authenticators(host)
    except OSError:  # there is none
        return None
    except netrc.NetrcParseError as error:  # its message may have a password
        line = error.lineno
    else:
        if found is None:
            return None
        return tuple((text or "").encode().decode("latin-1") for text in (found[0], found[2]))  # type: ignore[return-value]
    raise errors.UsageError(
        f"~/.netrc cannot be used: line {line}.", hint="It has to be well formed, and readable by you alone."
    )


def _context(options: Mapping[str, str]) -> ssl.SSLContext:
    ca_file = options.get("ca_file") or None
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise errors.UsageError(f"ca_file={ca_file!r} cannot be read as certificates: {error}.") from None
    if _choice(options, "verify", ("yes", "no")) == "no":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _choice(options: Mapping[str, str], name: str, values: tuple[str, ...]) -> str:
    value = options.get(name, values[0])
    if value not in values:
        raise errors.UsageError(f"{name}={value!r} is none of {', '.join(values)}.")
    return value


def _timeout_s(options: Mapping[str, str]) -> float:
    text = options.get("timeout_s", "")
    try:
        seconds = float(text) if text else limits.SYNC_FTP_TIMEOUT_S
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= limits.WAIT_S_MAX:
        raise errors.UsageError(f"timeout_s={text!r} is no number of seconds up to {limits.WAIT_S_MAX}.")
    return seconds


def _root(path: str) -> bytes:
    """As in RFC 1738: behind the first slash; what begins with another one, or with %2F, is absolute."""
    root = unquote_to_bytes(path[1:])
    is_absolute = root.startswith(b"/")
    root = root.strip(b"/")
    if root and (reason := refused_path(root)):
        raise errors.UsageError(f"the path in the URL of the FTP server is none: {reason}.")
    if set(b"\r\n\xff") & set(root):
        raise errors.UsageError("the path in the URL of the FTP server has a byte that FTP cannot carry.")
    return b"/" + root if is_absolute else root
