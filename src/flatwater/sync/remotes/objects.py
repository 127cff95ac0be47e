"""Object stores as remotes: S3 and what is like it, Google Cloud Storage, Azure.

Covers:     listing, finding, deleting, copying within a bucket.
Not here:   the bytes of one object (`object_streams`), what S3 alone can do (`s3_keys`), options (`object_options`).
Holds:      pages of listings, parts of objects; see `ObjectStore.bytes_max`.

An object has a key, and there are no folders. Keys that obstore has no names for are S3's alone, and go through `s3_keys`;
in the other stores such a key ends a listing, which names it, and none is written.
"""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from operator import lt
from typing import Any, Self, final

from flatwater import limits
from flatwater.sync.entry import UNKNOWN, Attributes, Entry
from flatwater.sync.failures import Failure, GoneFailure, RemoteFailure, TemporaryFailure
from flatwater.sync.remote import Reading, Remote, Unread, Writing, shown
from flatwater.sync.remotes.object_answers import KEY_BYTES_MAX, failure_of_obstore, is_odd, marks
from flatwater.sync.remotes.object_options import Place, place
from flatwater.sync.remotes.object_streams import KeyReading, ObjectWriting, StreamReading
from flatwater.sync.walk import sorted_on_disk

_SECOND_NS = 1_000_000_000
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
_NOT_IN_AZURE = re.compile(r"\\|\.(?:/|$)")  # what it alters in silence
_FOLDERS_KEPT = 4 * limits.SYNC_RANGES_MAX  # while those are looked for by which a listing is divided
_LAST = "\U0010ffff"  # behind all other characters


@final
class ObjectStore(Remote):
    """The objects of a bucket whose keys begin with a prefix.

    Args:
        where: the bucket; `from_url` makes one of a URL.
    """

    kind = "object store"
    has_folders = False
    delete_files = limits.SYNC_DELETE_KEYS
    tells_etag = True
    mtime_step_ns = _SECOND_NS

    def __init__(self, where: Place) -> None:
        super().__init__(where.url)
        self.tells_md5 = where.has_md5
        self._where = where
        self._keys = where.keys
        self._prefix = where.prefix
        self._begun = datetime.now(UTC)
        self._left: set[bytes] = set()  # paths that may have parts of uploads which did not end well

    @classmethod
    def from_url(cls, url: str, options: Mapping[str, str]) -> Self:
        """One for `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`; no library is imported for it yet.

        Args:
            url: with a key and its secret in front of an S3 bucket, if they are to stand there: `s3://key:secret@bucket`.
            options: by obstore's names, such as endpoint, region, access_key_id, secret_access_key; anonymous=true;
                sorted=false for a server that lists in another order than that of bytes. What is not said is taken
                from the environment, and for S3 from the files and services that botocore knows.

        Raises:
            UsageError: one of them is wrong; says what to do.
            MissingExtra: obstore is not installed, and only it knows an option; it or boto3 is missed later, otherwise.
        """
        return cls(place(url, options))

    # --- listing ------------------------------------------------------------------------------------------------------

    def batches(
        self,
        after: bytes = b"",
        before: bytes = b"",
        unread: Unread | None = None,  # noqa: ARG002 - there are no folders
    ) -> Generator[list[Entry], None, None]:
        """As `Remote.batches`."""
        if self._where.is_sorted:
            return self._checked(after, before)
        return self._resorted(after, before)

    def _checked(self, after: bytes, before: bytes) -> Generator[list[Entry], None, None]:
        last = after
        is_first = True
        for paths, batch in self._told(after):
            self._refuse_disorder(paths, b"" if is_first else last)
            start = bisect_right(paths, after) if is_first else 0
            stop = bisect_left(paths, before, start) if before else len(paths)
            if start < stop:
                last = paths[stop - 1]
                is_first = False
                yield from _cut(batch[start:stop] if stop - start < len(batch) else batch)
            if stop < len(paths):
                return

    def _refuse_disorder(self, paths: list[bytes], last: bytes) -> None:
        """Raise for a page that is not in order, or not behind the last one; the very first may begin with a mark of the root."""
        if all(map(lt, paths, islice(paths, 1, None))) and (not paths or not last or last < paths[0]):
            return
        for path, before in zip(paths, [last, *paths], strict=False):
            if before and path <= before:
                raise RemoteFailure(
                    f"{self.url} cannot be listed: {shown(path)} comes behind {shown(before)}, not in the order of bytes.",
                    hint="Say sorted=false: listings are then sorted here, on disk.",
                )

    def _resorted(self, after: bytes, before: bytes) -> Generator[list[Entry], None, None]:
        """From a store that lists in an order of its own: all of it, each time."""
        wanted = (
            (entry.path, entry.size, entry.mtime_ns, entry.etag)
            for _paths, batch in self._told(b"")
            for entry in batch
            if after < entry.path and not (before and entry.path >= before)
        )
        on_disk = sorted_on_disk(wanted, limits.SYNC_SORT_BYTES)
        try:
            batch: list[Entry] = []
            for item in on_disk:
                batch.append(Entry(*item))
                if len(batch) >= limits.SYNC_BATCH:
                    yield from _cut(batch)
                    batch = []
            yield from _cut(batch)
        finally:
            on_disk.close()
            wanted.close()

    def _told(self, after: bytes) -> Generator[tuple[list[bytes], list[Entry]], None, None]:
        """Paths and entries that the store tells, from some path in front of `after` or at it on."""
        size = len(self._prefix.encode())
        if self._keys is None:
            for batch in self._told_by_obstore(after, size):
                yield [entry.path for entry in batch], batch
            return
        for page in self._keys.pages(self.pace, self._prefix, self._start(after), leave_out_bytes=size):
            yield page.paths, page.entries

    def _start(self, after: bytes) -> str:
        """The key behind which a listing begins: none that is wanted is in front of it."""
        if not after:
            return ""
        try:
            text = after.decode()
        except UnicodeDecodeError as error:  # keys are UTF-8, so it lies between two of them
            text = after[: error.start].decode() + (_LAST if after[error.start] > 0xF4 else "")  # noqa: PLR2004 - the highest first byte
        if control := _CONTROL.search(text):  # servers say it back in XML, which has no such characters
            text = text[: control.start()]
        key = (self._prefix + text).encode()
        return key[:KEY_BYTES_MAX].decode(errors="ignore")

    def _told_by_obstore(self, after: bytes, size: int) -> Generator[list[Entry], None, None]:
        import obstore

        start = self._start(after)
        while start and is_odd(start):
            start = start[:-1]
        try:
            stream = obstore.list(
                self._where.small, self._prefix.rstrip("/") or None, offset=start or None, chunk_size=limits.SYNC_BATCH
            )
            self.pace.take()
            for page in stream:
                yield [self._told_entry(told, size) for told in page]
                self.pace.take()
        except Failure:
            raise
        except Exception as error:  # noqa: BLE001 - its text may have a signed URL
            raise self._unlisted(error) from None

    def _unlisted(self, error: Exception) -> Failure:
        if type(error).__name__ == "InvalidPathError":
            return Failure(
                f"{self.url} cannot be listed: a key behind this has an empty part, a '.' or a control character in it.",
                hint="Rename it, or reach the store as s3:// with an endpoint, if it has one.",
            )
        return failure_of_obstore(error, self.url, "listed")

    def _told_entry(self, told: Mapping[str, Any], size: int) -> Entry:
        key = told["path"]
        entry = Entry(key.encode()[size:], told["size"], _seconds(told["last_modified"]), marks(told["e_tag"]))
        if not entry.size and self._head(key, entry.path) is None:  # obstore tells "a/", the mark of a folder, as "a"
            raise Failure(
                f"{self.url} cannot be listed: {shown(entry.path)} has a slash at an end of its key.",
                hint="Delete this mark of a folder, or reach the store as s3:// with an endpoint, if it has one.",
            )
        return entry

    def borders(self, levels: int) -> list[bytes]:
        """As `Remote.borders`: in front of what is below each folder, where no key can be."""
        if self._keys is None or not self._where.is_sorted or levels < 1:
            return []
        found: set[bytes] = set()
        level = [self._prefix.encode()]
        pages_left = limits.SYNC_BORDER_PAGES
        for _level in range(levels):
            below: list[bytes] = []
            seen, step = 0, 1  # of them all every so manieth is kept
            for folder in level:
                for page in self._keys.pages(self.pace, folder.decode(), delimiter="/"):
                    below += page.prefixes[-seen % step :: step]
                    seen += len(page.prefixes)
                    while len(below) > _FOLDERS_KEPT:
                        below, step = below[::2], 2 * step
                    pages_left -= 1
                    if pages_left <= 0:
                        break
                if pages_left <= 0:
                    break
            found.update(below)
            level = _thinned(below)
            if pages_left <= 0 or not level or len(found) >= limits.SYNC_RANGES_MAX:
                break
        size = len(self._prefix.encode())
        return sorted(folder[size:-1] + b".\xff" for folder in _thinned(sorted(found)))

    def find(self, path: bytes) -> Entry | None:
        """As `Remote.find`."""
        if self.refusal(path):
            return None
        key = self._key(path)
        if self._keys is None:
            return self._head(key, path)
        told = self._keys.find(self.pace, key, is_sorted=self._where.is_sorted)
        return None if told is None else told._replace(path=path)

    def _head(self, key: str, path: bytes) -> Entry | None:
        import obstore

        self.pace.take()
        try:
            told = obstore.head(self._where.small, key)
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001 - its text may have a signed URL
            raise failure_of_obstore(error, path, "looked at") from None
        return Entry(path, told["size"], _seconds(told["last_modified"]), marks(told["e_tag"]))

    # --- one file -----------------------------------------------------------------------------------------------------

    def read(self, path: bytes) -> Reading:
        """As `Remote.read`."""
        if reason := self.refusal(path):
            raise GoneFailure(f"{shown(path)} cannot be read: {reason}.")
        key = self._key(path)
        self.pace.take()
        if is_odd(key):
            return KeyReading(self._s3, path, key)
        return StreamReading(self._where.large, path, key)

    def write(self, path: bytes, size: int, attributes: Attributes) -> Writing:
        """As `Remote.write`."""
        return ObjectWriting(self, self._where, path, self._key(path), size, attributes, self._note_left)

    def delete(self, paths: Sequence[bytes]) -> list[Failure | None]:
        """As `Remote.delete`."""
        answers: list[Failure | None] = [None] * len(paths)
        plain = []
        for place_, path in enumerate(paths):
            if self.refusal(path):
                continue  # there is none
            if is_odd(self._key(path)):
                answers[place_] = self._delete_odd(path)
            else:
                plain.append(place_)
        for start in range(0, len(plain), limits.SYNC_DELETE_KEYS):
            part = plain[start : start + limits.SYNC_DELETE_KEYS]
            for place_, answer in zip(part, self._delete_plain([paths[each] for each in part]), strict=True):
                answers[place_] = answer
        return answers

    def _delete_odd(self, path: bytes) -> Failure | None:
        self.pace.take()
        try:
            self._s3.call("deleted", path, "delete_object", Key=self._key(path))
        except GoneFailure:
            return None
        except Failure as error:
            return _own(error)
        return None

    def _delete_plain(self, paths: list[bytes]) -> list[Failure | None]:
        """In one request; where that fails for one of them, each by itself."""
        import obstore

        self.pace.take()
        try:
            obstore.delete(self._where.small, [self._key(path) for path in paths])
        except Exception as error:  # noqa: BLE001 - its text may have a signed URL
            failure = failure_of_obstore(error, paths[0], "deleted")
            if "<Code>NoSuchBucket<" in str(error):
                raise failure from None
            if len(paths) > 1 and (isinstance(error, FileNotFoundError) or not _is_passing(failure)):
                return [each for path in paths for each in self._delete_plain([path])]
            return [None if isinstance(failure, GoneFailure) else _own(failure)]
        return [None] * len(paths)

    def copies_inside(self, source: Remote) -> bool:
        """As `Remote.copies_inside`: within a bucket, and in S3 from one to another that is reached in the same way."""
        return isinstance(source, ObjectStore) and source._where.identity == self._where.identity  # noqa: SLF001 - of the same class

    def copy_inside(self, source: Remote, entry: Entry, path: bytes) -> Entry | None:
        """As `Remote.copy_inside`: up to 5 GiB."""
        if (
            not isinstance(source, ObjectStore)
            or not self.copies_inside(source)
            or entry.size > limits.SYNC_COPY_BYTES_MAX
            or self.refusal(path)
        ):
            return None
        from_key, key = source._key(entry.path), self._key(path)  # noqa: SLF001 - of the same class
        if from_key == key and source._bucket == self._bucket:  # noqa: SLF001 - of the same class
            return None
        self.pace.take()
        if self._keys is not None:
            etag = self._keys.copy(path, key, source._s3, from_key, entry.etag)  # noqa: SLF001 - of the same class
            return Entry(path, entry.size, UNKNOWN, marks(etag)) if etag else self.find(path)
        import obstore

        try:
            obstore.copy(self._where.small, from_key, key)
        except Exception as error:  # noqa: BLE001 - its text may have a signed URL
            raise failure_of_obstore(error, path, "copied") from None
        return self.find(path)

    def refusal(self, path: bytes) -> str:
        """As `Remote.refusal`."""
        if not path:
            return "it is empty"
        try:
            key = self._key(path)
        except UnicodeDecodeError:
            return "it is not UTF-8, and keys of objects are"
        if (size := len(key.encode())) > KEY_BYTES_MAX:
            return f"its key has {size} bytes, and {KEY_BYTES_MAX} are possible"
        if "\x00" in key:
            return "it has a zero byte in it"
        if self._keys is None and is_odd(key):
            return "it has an empty part, a '.' or a control character in it, for which there is no way to this store"
        if self._where.identity[0] == "az" and _NOT_IN_AZURE.search(key):
            return "Azure takes a backslash for a slash, and drops a dot at the end of a name"
        return ""

    def is_md5_told(self, path: bytes) -> bool:
        """As `Remote.is_md5_told`: not of objects that S3 encrypts with keys of KMS, or of the customer."""
        if self._keys is None or self.refusal(path):
            return True
        self.pace.take()
        told = self._keys.call("looked at", path, "head_object", Key=self._key(path))
        return "kms" not in told.get("ServerSideEncryption", "") and "SSECustomerAlgorithm" not in told

    def discard(self, path: bytes) -> None:
        """As `Remote.discard`: uploads of that key that began before this remote was made, or were not ended by it."""
        if not self.refusal(path):
            with contextlib.suppress(Failure):
                self._discard(path)

    def _discard(self, path: bytes) -> None:
        if self._keys is not None:
            self.pace.take()
            self._keys.discard(path, self._key(path), None if path in self._left else self._begun)
            self._left.discard(path)

    def _note_left(self, path: bytes) -> None:
        if self._keys is not None and len(self._left) < limits.SYNC_FAILURES_KEPT:
            self._left.add(path)

    # --- itself -------------------------------------------------------------------------------------------------------

    def listing_bytes(self) -> int:
        """As `Remote.listing_bytes`."""
        total = 0
        total += limits.SYNC_S3_PAGE_BYTES  # a page of it
        total += 0 if self._where.is_sorted else limits.SYNC_SORT_BYTES  # a listing that is sorted here
        return total

    def held_bytes(self, size: int) -> int:
        """As `Remote.held_bytes`: of a large one, a part that fills, two on their way, one that is copied."""
        return 4 * min(size, max(limits.SYNC_PART_BYTES, size // limits.SYNC_PARTS_MAX))

    def bytes_max(self, workers: int) -> int:
        """As `Remote.bytes_max`."""
        total = 0
        total += limits.SYNC_S3_BYTES  # the libraries
        total += workers * 4 * limits.SYNC_CHUNK_BYTES  # of what is read, and of small ones that are written
        return total

    def close(self) -> None:
        """As `Remote.close`; parts of uploads that did not end well are removed, if that can be asked for now."""
        with contextlib.suppress(Failure):
            for path in sorted(self._left):
                self._discard(path)
        if self._keys is not None:
            self._keys.close()

    @property
    def _s3(self) -> Any:
        assert self._keys is not None, "elsewhere such keys are refused"
        return self._keys

    @property
    def _bucket(self) -> str:
        return "" if self._keys is None else self._keys.bucket

    def _key(self, path: bytes) -> str:
        return self._prefix + path.decode()


def _cut(batch: list[Entry]) -> Iterator[list[Entry]]:
    """A batch in parts of the size that a listing gives."""
    for start in range(0, len(batch), limits.SYNC_BATCH):
        yield batch[start : start + limits.SYNC_BATCH]


def _thinned(folders: list[bytes]) -> list[bytes]:
    """At most as many as there may be ranges, evenly from all of them."""
    most = limits.SYNC_RANGES_MAX
    if len(folders) <= most:
        return folders
    return [folders[each * len(folders) // most] for each in range(most)]


def _seconds(when: datetime) -> int:
    return int(when.timestamp()) * _SECOND_NS


def _is_passing(failure: Failure) -> bool:
    return isinstance(failure, TemporaryFailure)


def _own(failure: Failure) -> Failure:
    """The failure of one file; what concerns all of them is raised."""
    if _is_passing(failure) or isinstance(failure, RemoteFailure):
        raise failure
    return failure
