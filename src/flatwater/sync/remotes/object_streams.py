"""One object of a store: read as it comes, sent in one request or in parts.

Covers:     reading, writing, parts, what goes with an object: time, type, metadata.
Not here:   listings and the rest (`objects`), parts of keys that obstore has no names for (`s3_keys.KeyUpload`).
Holds:      a chunk of what is read; a part that fills, two that are sent, one that is copied.
"""

from __future__ import annotations

import contextlib
import mimetypes
import threading
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from email.header import Header
from typing import Any, Protocol, final

from flatwater import limits
from flatwater.sync.entry import UNKNOWN, Attributes, Entry
from flatwater.sync.failures import Failure, RemoteFailure, TemporaryFailure
from flatwater.sync.pacing import Pace
from flatwater.sync.remote import Reading, Remote, Writing, shown
from flatwater.sync.remotes.object_answers import failure_of_botocore, failure_of_obstore, is_odd, marks
from flatwater.sync.remotes.object_options import Place
from flatwater.sync.remotes.s3_keys import KeyUpload, S3Keys

_SECOND_NS = 1_000_000_000
_MTIME = "mtime"  # in metadata, as rclone names and writes it
_HEADERS = {  # that are kept under these names in metadata, and botocore's words for them
    "Cache-Control": "CacheControl",
    "Content-Disposition": "ContentDisposition",
    "Content-Encoding": "ContentEncoding",
    "Content-Language": "ContentLanguage",
}
_TYPE = "application/octet-stream"


class _Chunks(Reading):
    """What comes in chunks, given out in pieces."""

    _path: bytes
    _chunks: Iterator[bytes]

    def __init__(self) -> None:
        self._view = memoryview(b"")
        self._count = 0

    def _next(self) -> bytes:
        raise NotImplementedError

    def read(self, count: int) -> memoryview:
        """As `Reading.read`."""
        if not self._view:
            self._view = memoryview(b"")  # the last chunk goes before the next one comes
            self._view = memoryview(self._next())
            if not self._view and self._count < self.entry.size:
                raise TemporaryFailure(
                    f"{shown(self._path)} cannot be read: it ends after {self._count} of {self.entry.size} bytes."
                )
        part, self._view = self._view[:count], self._view[count:]
        self._count += len(part)
        return part

    def is_unchanged(self) -> bool:
        """As `Reading.is_unchanged`: one answer is of one version."""
        return self._count == self.entry.size


@final
class StreamReading(_Chunks):
    """An object that obstore reads."""

    def __init__(self, store: Any, path: bytes, key: str) -> None:
        super().__init__()
        import obstore

        self._path = path
        try:
            told = obstore.get(store, key)
            meta, headers = told.meta, dict(told.attributes)
            self._chunks = iter(told.stream(min_chunk_size=limits.SYNC_CHUNK_BYTES))
        except Exception as error:  # noqa: BLE001 - its text may have a signed URL
            raise failure_of_obstore(error, path, "read") from None
        when = int(meta["last_modified"].timestamp()) * _SECOND_NS
        if when <= 0 and not meta["e_tag"]:  # of a proxy, or an error that is called 200
            raise TemporaryFailure(f"{shown(path)} cannot be read: the answer has neither an etag nor a time.")
        self.entry = Entry(path, meta["size"], when, marks(meta["e_tag"]))
        self.attributes = _with_time(told_attributes(headers), when)

    def _next(self) -> bytes:
        try:
            return next(self._chunks, b"")
        except Exception as error:  # noqa: BLE001 - its text may have a signed URL
            raise failure_of_obstore(error, self._path, "read") from None

    def close(self) -> None:
        """As `Reading.close`; the connection goes with the answer that is not read to its end."""
        self._chunks = iter(())
        self._view = memoryview(b"")


@final
class KeyReading(_Chunks):
    """An object that botocore reads."""

    def __init__(self, keys: S3Keys, path: bytes, key: str) -> None:
        super().__init__()
        told = keys.call("read", path, "get_object", ("LastModified", "ContentLength"), Key=key)
        self._path = path
        self._body = told["Body"]
        when = int(told["LastModified"].timestamp()) * _SECOND_NS
        self.entry = Entry(path, told["ContentLength"], when, marks(told.get("ETag")))
        headers = {name: told[word] for name, word in _HEADERS.items() if told.get(word)}
        headers |= {"Content-Type": told.get("ContentType", "")} | told.get("Metadata", {})
        self.attributes = _with_time(told_attributes(headers), when)

    def _next(self) -> bytes:
        try:
            data: bytes = self._body.read(limits.SYNC_CHUNK_BYTES)
        except Exception as error:  # noqa: BLE001 - what it is is told by its kind
            raise failure_of_botocore(error, self._path, "read") from None
        return data

    def close(self) -> None:
        """As `Reading.close`."""
        self._body.close()
        self._view = memoryview(b"")


class _Upload(Protocol):
    """Where parts go."""

    feed_bytes: int

    def feed(self, part: bytearray) -> None: ...

    def finish(self) -> str | None: ...

    def abort(self) -> None: ...


@final
class ObjectWriting(Writing):
    """An object that is being sent: nobody sees it before its last request is answered.

    Args:
        left: called with the path where parts may be left behind, because an upload was begun and did not end well.
    """

    def __init__(
        self,
        remote: Remote,
        where: Place,
        path: bytes,
        key: str,
        size: int,
        attributes: Attributes,
        left: Callable[[bytes], None],
    ) -> None:
        self._remote = remote
        self._where = where
        self._path = path
        self._key = key
        self._headers = sent_headers(path, attributes)
        self._part_bytes = max(limits.SYNC_PART_BYTES, -(-size // (limits.SYNC_PARTS_MAX - 1)))
        self._gathered = bytearray()
        self._count = 0
        self._left = left
        self._upload: _Upload | None = None
        self._has_begun = self._is_over = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """As `Writing.write`."""
        left = memoryview(data)
        self._count += len(left)
        most = self._part_bytes if self._upload is None else self._upload.feed_bytes
        while len(self._gathered) + len(left) > most:
            room = most - len(self._gathered)
            self._gathered += left[:room]
            left = left[room:]
            self._sent_gathered()
            assert self._upload is not None
            most = self._upload.feed_bytes
        self._gathered += left

    def _sent_gathered(self) -> None:
        if self._upload is None:
            self._has_begun = True
            self._upload = self._began()
        part, self._gathered = self._gathered, bytearray()  # it is the upload's own now, not copied
        self._upload.feed(part)

    def _began(self) -> _Upload:
        """Begin an upload: what a killed run sent of the same object would stay at the store, unseen and to be paid for."""
        self._remote.discard(self._path)
        pace = self._remote.pace
        if is_odd(self._key):
            assert self._where.keys is not None, "such paths are refused"
            words = botocore_words(self._headers)
            return KeyUpload(self._where.keys, pace, self._path, self._key, words, self._part_bytes)
        return _StreamUpload(self._where.small, pace, self._path, self._key, self._headers, self._part_bytes)

    def publish(self) -> Entry:
        """As `Writing.publish`."""
        try:
            if self._upload is None:
                etag = self._put()
            else:
                if self._gathered:
                    self._sent_gathered()
                etag = self._upload.finish()
        except BaseException:
            self.abandon()
            raise
        self._ended()
        if etag:
            return Entry(self._path, self._count, UNKNOWN, marks(etag))
        found = self._remote.find(self._path)
        if found is None:
            raise TemporaryFailure(f"{shown(self._path)} cannot be written: it was, and is not there.")
        return found

    def _put(self) -> str | None:
        self._remote.pace.take()
        body = self._gathered
        if is_odd(self._key):
            assert self._where.keys is not None, "such paths are refused"
            words = botocore_words(self._headers)
            answer = self._where.keys.call(
                "written", self._path, "put_object", Key=self._key, Body=bytes(body), **words
            )
            return answer.get("ETag")
        import obstore

        try:
            told = obstore.put(self._where.small, self._key, body, attributes=self._headers, use_multipart=False)
        except Exception as error:  # noqa: BLE001 - its text may have a signed URL
            raise _unsent(error, self._path) from None
        etag: str | None = told["e_tag"]
        return etag

    def abandon(self) -> None:
        """As `Writing.abandon`: the parts that are there are removed; the remote does so again when it is closed."""
        if self._has_begun and not self._is_over:
            self._left(self._path)
            if self._upload is not None:
                with contextlib.suppress(Failure):
                    self._upload.abort()
        self._ended()

    def _ended(self) -> None:
        self._is_over = True
        self._gathered = bytearray()

    def __del__(self) -> None:
        if not self.__dict__.get("_is_over", True) and isinstance(self._upload, _StreamUpload):
            self._upload.abort(wait=False)  # the thread of one that was forgotten would wait for ever


class _AbandonedError(Exception):
    """Ends an upload of obstore's, which then removes the parts that are there."""


@final
class _StreamUpload:
    """Parts that obstore asks for, in a thread of its own: it sends two at a time, and removes them if it fails."""

    feed_bytes = limits.SYNC_FEED_BYTES

    def __init__(
        self, store: Any, pace: Pace, path: bytes, key: str, headers: Mapping[str, str], part_bytes: int
    ) -> None:
        self._pace = pace
        self._path = path
        self._part_bytes = part_bytes
        self._fed = self._paced = 0  # bytes, and up to where requests were taken from the pace
        self._turn = threading.Condition()
        self._part: bytearray | None = None  # fed, and not asked for yet
        self._is_whole = self._is_abandoned = self._is_over = False
        self._etag: str | None = None
        self._failure: Failure | None = None
        self._thread = threading.Thread(
            target=self._send, args=(store, key, dict(headers), part_bytes), name="flatwater-upload", daemon=True
        )
        self._thread.start()

    def _send(self, store: Any, key: str, headers: dict[str, str], part_bytes: int) -> None:
        import obstore

        try:
            told = obstore.put(store, key, self._parts(), attributes=headers, chunk_size=part_bytes, max_concurrency=2)
            self._etag = told["e_tag"]
        except _AbandonedError:
            pass
        except Exception as error:  # noqa: BLE001 - handed to the thread that writes
            self._failure = _unsent(error, self._path)
        finally:
            with self._turn:
                self._is_over = True
                self._part = None
                self._turn.notify_all()

    def _parts(self) -> Iterator[bytearray]:
        while True:
            with self._turn:
                while self._part is None and not self._is_whole and not self._is_abandoned:
                    self._turn.wait()
                if self._is_abandoned:
                    raise _AbandonedError
                if self._part is None:
                    return
                box = [self._part]
                self._part = None
                self._turn.notify_all()
            yield box.pop()

    def feed(self, part: bytearray) -> None:
        """Hand over a piece, as soon as the one before was taken."""
        self._fed += len(part)
        if self._fed > self._paced:  # it begins a part
            self._paced += self._part_bytes
            self._pace.take()
        with self._turn:
            while self._part is not None and not self._is_over:
                self._turn.wait()
            if self._is_over:
                raise self._failure or RemoteFailure(f"{shown(self._path)} cannot be written: its upload ended.")
            self._part = part
            self._turn.notify_all()

    def finish(self) -> str | None:
        """Wait until it is an object; its etag."""
        with self._turn:
            self._is_whole = True
            self._turn.notify_all()
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return self._etag

    def abort(self, *, wait: bool = True) -> None:
        """End it, and wait until its parts are removed."""
        with self._turn:
            self._is_abandoned = True
            self._turn.notify_all()
        if wait:
            self._thread.join()


def _unsent(error: Exception, path: bytes) -> Failure:
    """What an exception means where something is written: what is not there is the bucket."""
    if isinstance(error, FileNotFoundError):
        if "NoSuchUpload" in str(error):
            return TemporaryFailure(f"{shown(path)} cannot be written: its upload is not there any more.")
        return RemoteFailure(f"{shown(path)} cannot be written: there is no such bucket.")
    return failure_of_obstore(error, path, "written")


def sent_headers(path: bytes, attributes: Attributes) -> dict[str, str]:
    """What goes with an object, by obstore's names.

    >>> sent_headers(b"a.txt", Attributes(1_500_000_000, metadata={"Owner": "me"}))
    {'Owner': 'me', 'Content-Type': 'text/plain', 'mtime': '1.5'}
    """
    headers = {
        name: value if value.isascii() and value.isprintable() else Header(value, "utf-8", maxlinelen=10_000).encode()
        for name, value in attributes.metadata.items()
        if name.lower() != _MTIME
    }
    guessed, encoding = mimetypes.guess_type("x" + path.rpartition(b"/")[2].decode(errors="replace"))
    headers["Content-Type"] = attributes.content_type or (guessed if guessed and not encoding else _TYPE)
    if attributes.mtime_ns >= 0:
        headers[_MTIME] = f"{Decimal(attributes.mtime_ns) / _SECOND_NS:f}"
    return headers


def told_attributes(headers: Mapping[str, str]) -> Attributes:
    """The same, back.

    >>> told_attributes({"Content-Type": "text/plain", "mtime": "1.5", "owner": "me"})
    Attributes(mtime_ns=1500000000, mode=-1, content_type='text/plain', metadata={'owner': 'me'})
    """
    metadata = dict(headers)
    content_type = metadata.pop("Content-Type", "")
    metadata.pop("Storage-Class", None)  # is the other store's own
    return Attributes(_nanoseconds(metadata.pop(_MTIME, "")), UNKNOWN, content_type, metadata)


def _with_time(attributes: Attributes, when: int) -> Attributes:
    """With the time of the object itself, where no time of a file was put there with it."""
    return attributes if attributes.mtime_ns >= 0 else attributes._replace(mtime_ns=when)


def _nanoseconds(text: str) -> int:
    try:
        seconds = Decimal(text)
        return max(UNKNOWN, int(seconds * _SECOND_NS)) if seconds.is_finite() and seconds < _SECOND_NS * 10 else UNKNOWN
    except InvalidOperation:
        return UNKNOWN


def botocore_words(headers: Mapping[str, str]) -> dict[str, Any]:
    """What goes with an object, as botocore wants it.

    >>> botocore_words({"Content-Type": "text/plain", "Cache-Control": "no-store", "mtime": "1.5"})
    {'ContentType': 'text/plain', 'CacheControl': 'no-store', 'Metadata': {'mtime': '1.5'}}
    """
    words: dict[str, Any] = {"ContentType": headers["Content-Type"]}
    words |= {word: headers[name] for name, word in _HEADERS.items() if name in headers}
    known = {"Content-Type", *_HEADERS}
    words["Metadata"] = {name: value for name, value in headers.items() if name not in known}
    return words
