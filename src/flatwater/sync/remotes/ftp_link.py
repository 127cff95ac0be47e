"""One connection to an FTP server: logged in, asked command by command, with what its answers mean.

Covers:     FTP, FTPS (explicit and implicit), what the server can, answers, data connections, the kind of each failure.
Not here:   who has which connection (`sync.remotes.ftp_pool`), what is asked (`sync.remotes.ftp`).
Holds:      two sockets and their buffers; an answer of `limits.SYNC_FTP_REPLY_BYTES` at most.

The protocol is the standard library's `ftplib`. Names go through it byte by byte: the control connection is read and written
as Latin-1, in which each byte is one character.
"""

from __future__ import annotations

import contextlib
import ftplib
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, final

from flatwater import limits
from flatwater.sync.failures import Failure, GoneFailure, RefusedFailure, RemoteFailure, TemporaryFailure
from flatwater.sync.remote import shown

_DENIED = re.compile(r"denied|permi(t|ss)|privileg|not allowed|forbidden|read.?only", re.IGNORECASE)
_NO_ROOM = re.compile(
    r"no space|quota|disk (is )?full|insufficient (storage|disk|space)|exceeded storage", re.IGNORECASE
)
_TOO_MANY = re.compile(r"too many|maximum|max\b|limit|connections", re.IGNORECASE)
_WANTS_TLS = re.compile(r"\b(TLS|SSL)\b|encrypt|clear.?text|AUTH first", re.IGNORECASE)
_NO_ROOM_CODES = {452, 552}
_CLOSING = 421
_SAID_CHARS_MAX = 200
_REASON_S = 5.0  # for a server to say why it closed a data connection
_PASSING = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
_BROKEN = (OSError, EOFError, ftplib.Error, ValueError)


@final
@dataclass(frozen=True)
class Settings:
    """How to reach a server, and who we are. Its `repr` has no password."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    context: ssl.SSLContext | None = None
    is_implicit: bool = False
    is_passive: bool = True
    timeout_s: float = limits.SYNC_FTP_TIMEOUT_S


class Reply(NamedTuple):
    """An answer: its code, and the whole text with the code."""

    code: int
    text: str

    @property
    def is_good(self) -> bool:
        """Whether it was done."""
        return 200 <= self.code < 300  # noqa: PLR2004 - as RFC 959 numbers them


class LostFailure(TemporaryFailure):
    """The connection cannot be used any more."""


class CrowdedFailure(TemporaryFailure):
    """The server has as many connections as it allows."""


@final
class Link:
    """A connection that is logged in. For one thread at a time.

    Args:
        settings: how to reach the server.
        pace: called before each command.
        learned: shared by all connections to one server.

    Attributes:
        features: what FEAT told, in capitals, such as {"MLST", "SIZE"}.
        is_reused: whether it was idle before: the server may have closed it meanwhile.
        has_answered: whether it answered since it was taken.
        is_clean: whether all its answers were read: the next worker can have it.
        is_doubtful: whether a transfer by TLS was refused: closed, since some servers then say something more, at any time.
        learned: what was found out about the server, for all connections to it.
        used_s: when it was given back, by the pool's clock.
        epoch: of the pool, when it was opened.

    Raises:
        RemoteFailure: the user, the password or the certificate is refused.
        CrowdedFailure, TemporaryFailure: it cannot be reached now.
    """

    def __init__(self, settings: Settings, pace: Callable[[], None], learned: dict[str, bool]) -> None:
        self._settings = settings
        self._pace = pace
        self._type = ""
        self.features: frozenset[str] = frozenset()
        self.is_reused = self.has_answered = self.is_clean = False
        self.is_doubtful = False
        self.learned = learned
        self.used_s = 0.0
        self.epoch = 0
        context = settings.context
        self._ftp: _Plain | _Secure = _Plain() if context is None else _Secure(context)
        failure: Failure | None = None
        try:
            self._open()
        except Failure as error:
            failure = error
        except _BROKEN as error:
            failure = self._not_opened(error)
        if failure is not None:  # raised out here, it has no context: what ftplib was about had the password in it
            self.close()
            raise failure

    def _open(self) -> None:
        ftp, settings = self._ftp, self._settings
        ftp.set_pasv(settings.is_passive)
        self._pace()
        ftp.reach(settings.host, settings.port, settings.timeout_s, is_implicit=settings.is_implicit)
        with contextlib.suppress(OSError):  # a long transfer leaves it silent, and routers forget silent ones
            _socket_of(ftp).setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if isinstance(ftp, _Secure):
            ftp.secure(is_implicit=settings.is_implicit)
        ftp.login(settings.user, settings.password)
        if isinstance(ftp, _Secure):
            ftp.prot_p()
        told = self.ask("FEAT")
        if told.is_good:
            lines = told.text.split("\n")[1:-1]
            self.features = frozenset(line.split(maxsplit=1)[0].rstrip(";").upper() for line in lines if line.strip())
        if "MLST" in self.features:
            self.ask("OPTS MLST type;size;modify;")  # what else it tells costs time in listings; it may refuse
        self.binary()

    def _not_opened(self, error: BaseException) -> Failure:
        where = f"{self._settings.host}:{self._settings.port}"
        if isinstance(error, ssl.SSLCertVerificationError):
            return RemoteFailure(
                f"{where} has a certificate that is not trusted: {error.verify_message}.",
                hint="Name the authority's file with ca_file, if it is one of your own.",
            )
        if isinstance(error, ssl.SSLError) and not isinstance(error, _PASSING):
            return RemoteFailure(f"{where} cannot be reached by TLS: {error.reason or 'it speaks something else'}.")
        if isinstance(error, socket.gaierror) and error.errno != socket.EAI_AGAIN:
            return RemoteFailure(f"{where} cannot be found: {error.strerror}.")
        if isinstance(error, ftplib.error_temp | ftplib.error_perm | ftplib.error_reply):
            reply = _reply(str(error))
            said = self._said(reply)
            if self._settings.context is None and _WANTS_TLS.search(reply.text):
                return RemoteFailure(f"{where} wants TLS: {said}.", hint="With it, the URL begins with ftps://.")
            if reply.code == _CLOSING or (reply.code == 530 and _TOO_MANY.search(reply.text)):  # noqa: PLR2004
                return CrowdedFailure(f"{where} takes no more connections: {said}.")
            if 400 <= reply.code < 500:  # noqa: PLR2004
                return TemporaryFailure(f"{where} cannot be used now: {said}.")
            if isinstance(self._ftp, _Secure) and not self._ftp.is_secure:
                return RemoteFailure(f"{where} has no TLS: {said}.", hint="Without it, the URL begins with ftp://.")
            return RemoteFailure(f"{where} does not let {shown_user(self._settings.user)} in: {said}.")
        return LostFailure(f"{where} cannot be reached: {_reason(error)}.")

    # --- asking -------------------------------------------------------------------------------------------------------

    def ask(self, command: str, argument: bytes | None = None) -> Reply:
        """Send a command and wait for the answer, whatever it is.

        Raises:
            LostFailure: there is none.
        """
        line = command if argument is None else f"{command} {argument.decode('latin-1')}"
        self._pace()
        return self._told(line)

    def answer(self) -> Reply:
        """Wait for one more answer: behind a transfer.

        Raises:
            LostFailure: there is none.
        """
        return self._told(None)

    def _told(self, line: str | None) -> Reply:
        failure: Failure
        self.is_clean = False
        try:
            if line is not None:
                self._ftp.putcmd(line)
            reply = _reply(self._ftp.getmultiline())
        except (*_BROKEN, AttributeError) as error:  # ftplib has no socket any more: it is closed
            failure = self.lost(error)
        else:
            if reply.code != _CLOSING:
                self.has_answered = self.is_clean = True
                return reply
            failure = LostFailure(f"{self._settings.host} closed the connection: {self._said(reply)}.")
        self.close()
        raise failure

    def binary(self) -> None:
        """Let files and sizes be of bytes."""
        self._typed("I")

    def text(self) -> None:
        """Let lists have lines."""
        self._typed("A")

    def _typed(self, kind: str) -> None:
        if self._type != kind:
            reply = self.ask(f"TYPE {kind}")
            if not reply.is_good:
                raise RemoteFailure(f"{self._settings.host} does not take TYPE {kind}: {self._said(reply)}.")
            self._type = kind

    def transfer(self, command: str, argument: bytes | None = None) -> socket.socket | Reply:
        """Begin a transfer: the data connection, or the answer if it was refused.

        Raises:
            LostFailure: the connection broke.
        """
        line = command if argument is None else f"{command} {argument.decode('latin-1')}"
        self._pace()
        self._pace()  # PASV and the command
        failure: Failure
        self.is_clean = False
        try:
            data = self._ftp.transfercmd(line)
        except (ftplib.error_temp, ftplib.error_perm) as error:
            reply = _reply(str(error))
            if reply.code != _CLOSING:
                self.has_answered = self.is_clean = True
                self._doubt()
                return reply
            failure = LostFailure(f"{self._settings.host} closed the connection: {self._said(reply)}.")
        except (*_BROKEN, AttributeError) as error:
            failure = self.lost(error)
        else:
            self.has_answered = True
            return data
        self.close()
        raise failure

    def _doubt(self) -> None:
        """Do not go on behind a data connection without a handshake: pyftpdlib, for one, complains of it afterwards."""
        if isinstance(self._ftp, _Secure):
            self.is_doubtful = True
            self.close()

    def why_cut(self, error: BaseException, path: bytes, verb: str) -> Failure:
        """Why the server closed a data connection, if it says so soon. The connection is closed then."""
        found: Failure | None = None
        with contextlib.suppress(*_BROKEN, Failure, AttributeError):
            _socket_of(self._ftp).settimeout(_REASON_S)
            reply = self._told(None)
            if not reply.is_good:
                found = self.failed(reply, path, verb)
        self.close()
        return found or self.lost(error)

    # --- what it means ------------------------------------------------------------------------------------------------

    def lost(self, error: BaseException) -> LostFailure:
        """The failure of a broken connection."""
        return LostFailure(f"the connection to {self._settings.host} broke: {_reason(error)}.")

    def failed(self, reply: Reply, path: bytes, verb: str, kind: type[Failure] = RefusedFailure) -> Failure:
        """The failure that an answer tells; `kind` is that of answers which may mean several things."""
        if reply.code in _NO_ROOM_CODES or _NO_ROOM.search(reply.text):
            kind = RemoteFailure
        elif 400 <= reply.code < 500:  # noqa: PLR2004
            kind = TemporaryFailure
        elif reply.code in {530, 532}:
            kind = RemoteFailure
        elif kind is GoneFailure and is_denied(reply):
            kind = RefusedFailure
        return kind(f"{shown(path) or 'the root'} cannot be {verb}: {self._said(reply)}.")

    def _said(self, reply: Reply) -> str:
        """What a server said, on one line, without the password if it repeats that."""
        text = " ".join(reply.text.split())
        if self._settings.password:
            text = text.replace(self._settings.password, "...")
        return shown(text.encode("latin-1", "replace")).rstrip(". ")[:_SAID_CHARS_MAX]

    # --- itself -------------------------------------------------------------------------------------------------------

    def is_alive(self) -> bool:
        """Ask whether the server still listens."""
        try:
            return self.ask("NOOP").is_good
        except LostFailure:
            return False

    def is_stale(self) -> bool:
        """Whether it was idle, and was dead when it was used again: another one is to be tried."""
        return self.is_reused and not self.has_answered

    def taken(self) -> Link:
        """Begin to use it again."""
        self.is_reused, self.has_answered = True, False
        return self

    def quit(self) -> None:
        """Say goodbye, without waiting for an answer, and close."""
        with contextlib.suppress(*_BROKEN, AttributeError):
            self._ftp.putcmd("QUIT")
        self.close()

    def close(self) -> None:
        """Close it as it is."""
        self.is_clean = False
        with contextlib.suppress(*_BROKEN):
            self._ftp.close()


class _Bounded(ftplib.FTP):
    """Whose answers have a bound: ftplib takes any number of lines."""

    _left = 0

    def getmultiline(self) -> str:
        self._left = limits.SYNC_FTP_REPLY_BYTES
        return super().getmultiline()

    def getline(self) -> str:
        if self.file is None:
            raise EOFError
        line = self.file.readline(self.maxline + 1)
        if not line.endswith("\n"):  # ftplib takes what came before a cut for an answer: "213 12" of "213 1234"
            raise EOFError
        line = line[:-1]
        self._left -= len(line) + 1
        if self._left < 0:
            raise ftplib.error_proto("an answer without end")  # noqa: S321 - FTP is what was asked for
        return line


@final
class _Plain(_Bounded):
    """FTP."""

    def __init__(self) -> None:
        super().__init__(encoding="latin-1")

    def reach(self, host: str, port: int, timeout_s: float, *, is_implicit: bool) -> None:  # noqa: ARG002 - as the other
        """Connect, and read the greeting."""
        self.connect(host, port, timeout_s)


@final
class _Secure(_Bounded, ftplib.FTP_TLS):
    """FTP over TLS, whose data connections go on with the session of the control connection, as many servers demand."""

    is_secure = False

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(context=context, encoding="latin-1")

    def reach(self, host: str, port: int, timeout_s: float, *, is_implicit: bool) -> None:
        """Connect, and read the greeting: behind the handshake if TLS is implicit."""
        if not is_implicit:
            self.connect(host, port, timeout_s)
            return
        self.host, self.port, self.timeout = host, port, timeout_s
        plain = socket.create_connection((host, port), timeout_s)
        self.sock = self.context.wrap_socket(plain, server_hostname=host)
        self.af = self.sock.family
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()

    def secure(self, *, is_implicit: bool) -> None:
        """Begin TLS, unless it has begun."""
        if not is_implicit:
            self.auth()
        self.is_secure = True

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        data, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321 - not FTP_TLS's, which begins a new session
        session = self.sock.session if isinstance(self.sock, ssl.SSLSocket) else None
        return self.context.wrap_socket(data, server_hostname=self.host, session=session), size


def is_denied(reply: Reply) -> bool:
    """Whether an answer speaks of rights: its code may be that of a file which is not there."""
    return _DENIED.search(reply.text) is not None


def shown_user(user: str) -> str:
    """A user for messages."""
    return repr(user.encode("latin-1").decode("utf-8", "backslashreplace"))


def _reply(text: str) -> Reply:
    if not re.match(r"[1-5][0-9][0-9]", text, re.ASCII):
        raise ftplib.error_proto("no FTP")  # noqa: S321 - the same
    return Reply(int(text[:3]), text)


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, EOFError):
        return "it was closed"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason or type(error).__name__})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "the server does not speak FTP" if isinstance(error, ftplib.Error) else type(error).__name__


def _socket_of(ftp: ftplib.FTP) -> socket.socket:
    found = ftp.sock
    if found is None:
        raise EOFError
    return found
