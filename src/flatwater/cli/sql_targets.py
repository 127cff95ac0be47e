"""What the shell talks to: a served database, or a directory that it opens itself.

Covers:     the one interface for both, saying who one is: passwords, tokens, tokens for one log-in.
Not here:   the protocol (`live.client`), options (`cli.sql`).
Holds:      what the client or the database holds.
"""

from __future__ import annotations

import ipaddress
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from flatwater import errors, limits
from flatwater.cli import main

PASSWORD, TOKEN, ONE_TIME = "FLATWATER_PASSWORD", "FLATWATER_TOKEN", "FLATWATER_ONE_TIME"


class Rows(Protocol):
    """What a statement gives."""

    columns: Sequence[str]
    count: int | None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Rows, once."""

    def close(self) -> None:
        """End."""


class Event(Protocol):
    """A row of a snapshot, or a change."""

    op: str
    seq: int

    @property
    def row(self) -> dict[str, Any] | None:
        """The row."""

    @property
    def old(self) -> dict[str, Any] | None:
        """What it was."""


class Following(Protocol):
    """What a live query gives."""

    def poll(self, seconds: float = 0.0) -> Any:
        """The next event, or None."""

    def close(self) -> None:
        """End."""


class Target(Protocol):
    """A database, in the name of somebody."""

    name: str

    def sql(self, text: str, params: Sequence[Any] = ()) -> Any:
        """Do one statement."""

    def subscribe(self, text: str, params: Sequence[Any] = (), *, last_rows: int | None = None) -> Any:
        """Follow one."""

    def close(self) -> None:
        """End."""


class Who(NamedTuple):
    """What was said about who asks.

    Attributes:
        user: a name, or None.
        token_file: a file with a token, or None.
        one_time: whether a token for one log-in is asked for.
        ca_file: a file with certificates of authorities that the server's is signed by, or None.
    """

    user: str | None = None
    token_file: str | None = None
    one_time: bool = False
    ca_file: str | None = None


def opened(target: str, who: Who) -> Target:
    """The database at a URL, or in a directory.

    Raises:
        UsageError: it is neither, or nobody says who asks.
        MissingExtra: a library is not installed.
        FlatwaterError: what the database says.
    """
    return Served(target, who) if "://" in target else Local(target, who)


class Local:
    """A directory, opened by this process."""

    def __init__(self, path: str, who: Who) -> None:
        if who.token_file is not None or who.one_time:
            raise errors.UsageError(
                f"{path!r} is a directory: who can read it needs no token.", hint="--user says in whose name."
            )
        if who.ca_file is not None:
            raise errors.UsageError(
                f"{path!r} is a directory: it has no certificate.", hint="--ca-file goes with https://."
            )
        if not os.path.isdir(path):
            raise errors.UsageError(
                f"there is no directory {path!r}.",
                hint="A served database is named as http://127.0.0.1:8642; mkdir makes a directory, and an empty one is taken.",
            )
        try:
            from flatwater.live.database import Database
        except ModuleNotFoundError as error:
            raise errors.MissingExtra("live", error.name or "a library") from error
        self.name = os.path.basename(os.path.abspath(path)) or path
        self._user = who.user
        self._database = Database(path)

    def sql(self, text: str, params: Sequence[Any] = ()) -> Any:
        """Do one statement."""
        return self._database.sql(text, params, user=self._user)

    def subscribe(self, text: str, params: Sequence[Any] = (), *, last_rows: int | None = None) -> Any:
        """Follow one."""
        return self._database.subscribe(text, params, user=self._user, last_rows=last_rows)

    def close(self) -> None:
        """End."""
        self._database.close()


class Served:
    """A database behind a port."""

    def __init__(self, url: str, who: Who) -> None:
        parts = urlsplit(url)
        if parts.username is not None or parts.password is not None or parts.fragment or parts.query:
            raise errors.UsageError(
                "a password or a token does not belong into an address: others see what was typed.",
                hint="Use --user, --one-time or --token-file.",
            )
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise errors.UsageError(f"{url!r} is no address of a server.", hint="Try http://127.0.0.1:8642.")
        try:
            from flatwater.live.client import certificates
            from flatwater.live.client.client import Client
        except ModuleNotFoundError as error:
            raise errors.MissingExtra("client", error.name or "a library") from error
        self.name = parts.netloc
        if parts.scheme == "http" and not _is_here(parts.hostname):
            main.say("flatwater: this connection is not encrypted: others on the way can read it, and the token.")
        if parts.scheme == "http" and who.ca_file is not None:
            raise errors.UsageError("there is no certificate without TLS.", hint="--ca-file goes with https://.")
        verify: Any = False  # there is nothing to look at
        if parts.scheme == "https":
            verify = certificates.context_of(True if who.ca_file is None else who.ca_file)
        known: dict[str, Any] = dict(credentials(who))
        if "one_time" in known:
            known = {"token": _exchanged(url, known["one_time"], verify)}
        self._client = Client(url, **known, verify=verify)

    def sql(self, text: str, params: Sequence[Any] = ()) -> Any:
        """Do one statement."""
        return self._client.sql(text, params)

    def subscribe(self, text: str, params: Sequence[Any] = (), *, last_rows: int | None = None) -> Any:
        """Follow one."""
        return self._client.subscribe(text, params, last_rows=last_rows)

    def close(self) -> None:
        """End."""
        self._client.close()


def credentials(who: Who, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Who asks, and how he proves it: asked for without echo where it stands neither in a file nor in the environment.

    Raises:
        UsageError: nobody says who asks.
    """
    if sum((who.user is not None, who.token_file is not None, who.one_time)) > 1:
        raise errors.UsageError("--user, --token-file and --one-time are three ways to log in.", hint="Choose one.")
    if who.one_time:
        return {"one_time": environment.get(ONE_TIME) or _asked("Token for one log-in: ", ONE_TIME)}
    if who.token_file is not None:
        return {"token": _token_in(who.token_file)}
    if who.user is not None:
        password = environment.get(PASSWORD)
        return {"user": who.user, "password": _asked("Password: ", PASSWORD) if password is None else password}
    if environment.get(TOKEN):
        return {"token": environment[TOKEN]}
    raise errors.UsageError(
        "the server wants to know who asks.",
        hint=f"Use --user, --token-file, {TOKEN} in the environment, or at the first start --one-time.",
    )


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _exchanged(url: str, one_time: str, verify: Any) -> str:
    """The token that a token for one log-in gives.

    Raises:
        FlatwaterError: what the server says.
    """
    import json

    import httpx

    from flatwater.live.client import certificates
    from flatwater.live.client.asking import no_sense, refusal

    address, told = f"{url.rstrip('/')}/v1/token", bytearray()
    try:
        with (
            httpx.Client(
                verify=verify,
                trust_env=False,
                follow_redirects=False,
                timeout=limits.CLIENT_CONNECT_S,
            ) as http,
            http.stream(
                "POST", address, json={"one_time": one_time}, headers={"accept-encoding": "identity"}
            ) as response,
        ):
            for part in response.iter_raw():
                told += part
                if len(told) > limits.CLIENT_TOKEN_BYTES:
                    raise no_sense("answer is no token")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = certificates.refused(error) or errors.BrokenError(f"the server cannot be asked: {error}.")
        raise why from None
    if response.status_code != httpx.codes.OK:
        raise refusal(response.status_code, bytes(told))
    try:
        token = json.loads(told)["token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        token = None
    if not isinstance(token, str):
        raise no_sense("answer is no token")
    return token


def _asked(prompt: str, variable: str) -> str:
    import getpass

    if not sys.stdin.isatty():
        raise errors.UsageError(
            "there is no terminal to ask for a password or token at.", hint=f"Set {variable} in the environment."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # it would be seen while it is typed
            return getpass.getpass(prompt)
    except (EOFError, getpass.GetPassWarning):
        raise errors.UsageError("nothing was typed.", hint=f"It can stand in {variable}, too.") from None


def _token_in(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            token = file.read(limits.SHELL_TOKEN_BYTES).strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise errors.UsageError(f"the token in {path!r} cannot be read: {str(why).lower()}.") from None
    if not token:
        raise errors.UsageError(f"there is no token in {path!r}.", hint="It is the only thing in the file.")
    return token
