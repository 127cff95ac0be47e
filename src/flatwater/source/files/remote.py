"""Read a URL as one stream: one request, so many bytes ahead, and errors that show no secret.

Covers:     http and https, s3, gs and az, and whatever else fsspec knows; starting at an offset.
Not here:   listing and writing remote files (`sync`), decompressing (`files.decoding`).
Holds:      what was asked for at once, and what the network brings ahead: see `Remote.held_bytes`.

Object stores go through obstore: one GET of one version of the object, 26 MB resident where its fsspec face takes 42.
The rest goes through fsspec, http without its read-ahead cache, which takes 38 MB more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, final

from flatwater import errors, limits
from flatwater.source.files.opening import Raw
from flatwater.source.files.place import public_url

if TYPE_CHECKING:
    from flatwater.source.files.place import Place

Found = TypeVar("Found")

OBJECT_STORES = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "abfs", "abfss": "abfss"}
_BEYOND = 416  # the status of a server that has no byte at the offset
_RANGES = 206  # the status of a server that begins where it was asked to
_CONNECT_S = 30.0  # to reach a server
_SILENT_S = 60.0  # between two of its packets
_RETRIES = 3  # of an object store's request, before any byte came


@final
class Remote(Raw):
    """The bytes of a URL.

    Args:
        url: with all its secrets; it is never shown.
        name: what is shown instead.
        take: gives the next bytes, none at the end.
        leave: closes the connection.
        start: byte of the file at which it begins.
    """

    held_bytes = limits.FILES_REMOTE_BYTES + limits.FILES_REMOTE_AHEAD_BYTES

    def __init__(self, url: str, name: str, take: Callable[[], Any], leave: Callable[[], None], start: int) -> None:
        super().__init__()
        self._url = url
        self._name = name
        self._take = take
        self._leave = leave
        self._taken = start
        self._left = memoryview(b"")
        self._failed: Exception | None = None  # told when all that came before it was handed out

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer: what came before the connection broke is handed out before that is raised."""
        if self._failed is not None:
            raise failure(self._url, self._name, self._failed, self._taken) from harmless(self._url, self._failed)
        filled = 0
        wanted = len(buffer)
        while filled < wanted:
            if not self._left:
                try:
                    data = self._take()
                except Exception as error:  # noqa: BLE001 - the libraries have no error in common
                    if filled:
                        self._failed = error
                        break
                    raise failure(self._url, self._name, error, self._taken) from harmless(self._url, error)
                if not len(data):
                    break
                self._taken += len(data)
                self._left = memoryview(data).cast("B")
            count = min(len(self._left), wanted - filled)
            buffer[filled : filled + count] = self._left[:count]
            filled += count
            self._left = self._left[count:]
        return filled

    def close(self) -> None:
        """Close the connection."""
        if not self.closed:
            self._left = memoryview(b"")
            with contextlib.suppress(Exception):  # it may be gone already
                self._leave()
        super().close()


def open_remote(place: Place) -> Remote:
    """The bytes of a place's URL: from its offset where nothing is to be decompressed, else from the start.

    Raises:
        BrokenError: it is missing, refused, or its server cannot be reached.
        UsageError: nothing knows that kind of URL.
        MissingExtra: the library for it is not installed.
    """
    start = place.offset if place.compression == "none" else 0
    take, leave, at = reached(place, _object, _http, _other, start)
    remote = Remote(place.target, place.name, take, leave, at)
    _pass_over(remote, place.name, start, at)
    return remote


def reached(
    place: Place,
    in_store: Callable[..., Found],
    on_web: Callable[..., Found],
    elsewhere: Callable[..., Found],
    *more: int,
) -> Found:
    """What the opener for a place's kind of URL gives; it is called with the URL, `more` and the options.

    Raises:
        BrokenError: it is missing, refused, or its server cannot be reached.
        UsageError, MissingExtra: as the openers say.
    """
    url = place.target
    scheme = url.partition("://")[0].lower()
    opener = in_store if scheme in OBJECT_STORES else on_web if scheme in {"http", "https"} else elsewhere
    try:
        return opener(url, *more, dict(place.storage_options))
    except errors.FlatwaterError:
        raise
    except Exception as error:  # noqa: BLE001 - the libraries have no error in common
        raise failure(url, place.name, error, -1) from harmless(url, error)


def _pass_over(remote: Remote, name: str, start: int, at: int) -> None:
    """Read up to `start` where the server began earlier."""
    buffer = bytearray(min(max(start - at, 1), limits.FILES_CHUNK_BYTES))
    try:
        while at < start:
            with memoryview(buffer) as view:
                count = remote.readinto(view[: start - at])
            if not count:
                raise errors.BrokenError(  # noqa: TRY301 - the connection is closed below, whatever is raised
                    f"{name} ends at byte {at}, before the offset {start}.", hint="An offset is at most the size."
                )
            at += count
    except BaseException:
        remote.close()
        raise


Opened = tuple[Callable[[], Any], Callable[[], None], int]


def object_store(url: str, options: dict[str, Any]) -> tuple[Any, str]:
    """An object's store, and its key.

    Raises:
        UsageError: it names no object.
        MissingExtra: the library for it is not installed.
    """
    try:
        import obstore  # noqa: F401 - says whether it is there
        from obstore.store import from_url
    except ImportError:
        raise errors.MissingExtra("files", "obstore") from None
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if not bucket or not key.strip("/"):
        raise errors.UsageError(
            f"{public_url(url)} names no object.",
            hint=f"Write {scheme}://bucket/key: a store answers with a list of its objects else.",
        )
    options.setdefault("retry_config", {"max_retries": _RETRIES})
    if str(options.get("endpoint", "")).startswith("http://"):
        options["client_options"] = {"allow_http": True, **options.get("client_options", {})}
    return from_url(f"{OBJECT_STORES[scheme.lower()]}://{bucket}", **options), key


def _object(url: str, start: int, options: dict[str, Any]) -> Opened:
    """An object of S3, Google's or Azure's store."""
    store, key = object_store(url, options)
    import obstore

    try:
        got = obstore.get(store, key, options={"range": {"offset": start}} if start else None)
    except Exception as error:
        if not start or str(_BEYOND) not in str(error):
            raise
        start, got = 0, obstore.get(store, key)  # the offset is the end, or lies beyond it: reading shows which
    parts: Iterator[Any] = iter(got.stream(min_chunk_size=limits.FILES_REMOTE_BYTES))
    return lambda: next(parts, b""), lambda: None, start


def http_files(url: str, options: dict[str, Any]) -> Any:
    """What opens a URL of the web.

    Raises:
        MissingExtra: a library is not installed.
    """
    try:
        import aiohttp
        import fsspec
    except ImportError as error:
        raise errors.MissingExtra("files", error.name or "fsspec") from None
    client = {
        # The library's own limit is five minutes for a whole file; these are for a server that says nothing.
        "timeout": aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENT_S),
        **options.pop("client_kwargs", {}),
    }
    return fsspec.filesystem(url.partition("://")[0].lower(), skip_instance_cache=True, client_kwargs=client, **options)


def _http(url: str, start: int, options: dict[str, Any]) -> Opened:
    """One GET, as a stream: also from servers that tell no length and know no ranges."""
    files = http_files(url, options)
    import aiohttp

    headers = {"Accept-Encoding": "identity"}  # the bytes as they are stored: an offset counts those
    if start:
        headers["Range"] = f"bytes={start}-"
    # A size spares a HEAD request, and a block size of 0 asks for a stream.
    try:
        file = files.open(url, "rb", block_size=0, size=1, headers=headers)
    except aiohttp.ClientResponseError as error:
        if error.status != _BEYOND or not start:
            raise
        # The offset is the end, or lies beyond it: reading up to it shows which.
        headers.pop("Range")
        file = files.open(url, "rb", block_size=0, size=1, headers=headers)
    sent = sent_range(file.r.headers.get("Content-Range", ""))
    if file.r.status != _RANGES or sent is None:
        return lambda: file.read(limits.FILES_REMOTE_BYTES), file.close, start if file.r.status == _RANGES else 0
    at, end, size = sent
    if at > start or end + 1 < size:
        file.close()
        raise errors.BrokenError(
            f"{public_url(url)}: its server sent the bytes from {at} to {end} of {size}, where those from {start} on were "
            "asked for.",
            hint="Read it from its start, or have the server mended.",
        )
    return lambda: file.read(limits.FILES_REMOTE_BYTES), file.close, at


def sent_range(header: str) -> tuple[int, int, int] | None:
    """First and last byte of a part that a server sends, and the size of the whole, -1 where it does not tell that.

    >>> sent_range("bytes 5-9/10"), sent_range("bytes 5-9/*"), sent_range("")
    ((5, 9, 10), (5, 9, -1), None)
    """
    part, _, size = header.removeprefix("bytes ").partition("/")
    first, _, last = part.partition("-")
    if not (header.startswith("bytes ") and first.isdecimal() and last.isdecimal()):
        return None
    return int(first), int(last), int(size) if size.isdecimal() else -1


def other_files(url: str, options: dict[str, Any]) -> tuple[Any, str]:
    """What opens a URL that fsspec knows, and its path there.

    Raises:
        UsageError: fsspec does not know it.
        MissingExtra: a library is not installed.
    """
    try:
        import fsspec
    except ImportError:
        raise errors.MissingExtra("files", "fsspec") from None
    try:
        found: tuple[Any, str] = fsspec.url_to_fs(url, **options)
    except ValueError as error:
        known = url.partition("://")[0]
        raise errors.UsageError(
            f"nothing reads {known}:// here ({error}).", hint="Install the library of fsspec for it."
        ) from None
    except ImportError as error:
        raise errors.MissingExtra("files", error.name or f"fsspec's library for {url.partition('://')[0]}://") from None
    return found


def _other(url: str, start: int, options: dict[str, Any]) -> Opened:
    """Whatever fsspec knows; each of these asks for a block at a time."""
    files, path = other_files(url, options)
    file = files.open(path, "rb", block_size=limits.FILES_REMOTE_BYTES, cache_type="readahead")
    if start:
        file.seek(start)
    return lambda: file.read(limits.FILES_REMOTE_BYTES), file.close, start


def failure(url: str, name: str, error: Exception, position: int) -> errors.FlatwaterError:
    """What to tell of a request that failed.

    Args:
        url: with its secrets.
        name: without.
        error: the library's.
        position: byte that had been reached; -1 while opening.
    """
    at = f" at byte {position}" if position >= 0 else ""
    status = getattr(error, "status", 0)
    kind = type(error).__name__
    if isinstance(error, FileNotFoundError) or kind == "NotFoundError" or status == 404:  # noqa: PLR2004 - as known
        return errors.BrokenError(f"{name} does not exist{', any more,' if at else ''}{at}.", hint="Look at the URL.")
    if (
        isinstance(error, PermissionError)
        or kind in {"PermissionDeniedError", "UnauthenticatedError"}
        or status in {401, 403}
    ):
        return errors.BrokenError(
            f"{name} was refused{at}{f' (status {status})' if status else ''}.",
            hint="Pass credentials in storage_options, or in the URL.",
        )
    if kind == "PreconditionError":
        return errors.BrokenError(f"{name} was written while it was read{at}.", hint="Read it again.")
    said = (
        f"status {status}: {scrubbed(url, str(getattr(error, 'message', '')))}".removesuffix(": ")
        if status
        else "it leads from one address to the next, and to no end"
        if kind == "TooManyRedirects"
        else scrubbed(url, f"{kind}: {error}".partition("\n\nDebug source")[0] if str(error) else kind)
    )
    if at:
        return errors.BrokenError(
            f"{name}: the connection broke{at} ({said}).", hint="What came before is right; start again at that offset."
        )
    return errors.BrokenError(
        f"{name} cannot be read ({said}).", hint="Look at the URL, and whether its server answers."
    )


def scrubbed(url: str, text: str) -> str:
    """A text without what may be secret in a URL, on one line of bounded length.

    >>> scrubbed("https://ann:pass@host/a?key=1234", "no answer of https://ann:pass@host/a?key=1234")
    'no answer of https://host/a'
    """
    from flatwater.source.files.bad_rows import short

    text = text.replace(url, public_url(url))
    for secret in sorted(secrets_of(url), key=len, reverse=True):
        text = text.replace(secret, "...")
    return short(text)


def secrets_of(url: str) -> set[str]:
    """The parts of a URL that are not shown."""
    rest = url.partition("://")[2]
    path, _, query = rest.partition("?")
    user = path.partition("/")[0].rpartition("@")[0]
    parts = {user, query, *user.split(":"), *(pair.partition("=")[2] for pair in query.split("&"))}
    return {part for part in parts if part}


def harmless(url: str, error: Exception) -> Exception | None:
    """The library's error as a cause: none where the URL has secrets, which it may show."""
    return None if secrets_of(url) else error
