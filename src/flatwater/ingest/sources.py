"""Where documents come from: files, object stores, rows of tables, and whatever else gives names and texts.

Covers:     listing each kind, reading those documents that are chosen, as parts; what is said of those that cannot be read.
Not here:   which are chosen (`choosing`), the formats of files (`source.documents`).
Holds:      what the reader of documents holds, or one row; a remote file is on the disk while it is read.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, final

from flatwater import errors, limits
from flatwater.ingest.choosing import Choosing, stamp_of
from flatwater.ingest.document import Document, Part, metadata_text, shown
from flatwater.source.documents import listing
from flatwater.source.documents.report import CUT, SKIPPED
from flatwater.source.documents.report import Problem as ReaderProblem
from flatwater.source.files.place import public_url

if TYPE_CHECKING:
    from flatwater.source.documents.piece import Piece
    from flatwater.source.documents.reader import Documents

_DIGEST_BYTES: Final = 16
_SINGLE: Final = frozenset(
    {"ascii", "cp1252", "latin-1", "iso8859-1", "iso8859-15", "cp1251", "koi8-r", "cp437", "cp850"}
)

_NO_FILE: Final = {errno.ELOOP: "it is a link that leads in a circle", errno.ENXIO: "it is no regular file"}

Tell = Callable[[str, int, str, str], object]  # source, page, reason, kind


class Source(Protocol):
    """Something that has documents.

    Attributes:
        name: by which it is known in the manifest.
        below: what the keys of all its documents begin with, if nothing else can have such keys; else nothing.
        is_whole: whether all of it was listed; before that, False.
    """

    name: str
    below: bytes
    is_whole: bool

    def parts(self, choosing: Choosing, reading: Reading) -> Iterator[Part]:
        """The parts of all documents that are chosen, one document after another."""
        ...

    def is_gone(self, key: bytes) -> bool:
        """Whether a document that another source has listed, too, is certainly there no more."""
        ...


@final
class Files:
    """A file, a directory with all below it, or a pattern. The corpus's own directory is left out.

    Args:
        path: as it is spelled.
        metadata: of each, as JSON.
        corpus: where the corpus is.
    """

    def __init__(self, path: str, metadata: str, corpus: str) -> None:
        root = os.path.abspath(path)
        self.name = f"file:{shown(root)}"
        self.below = os.fsencode(os.path.join(root, "")) if os.path.isdir(path) else b""
        self.is_whole = False
        self._path = path
        self._corpus = corpus
        self._metadata = metadata
        self._mark = hashlib.blake2b(metadata.encode(), digest_size=8).digest() if metadata != "{}" else b""

    def parts(self, choosing: Choosing, reading: Reading) -> Iterator[Part]:
        """The parts of those that are chosen."""
        troubles = 0

        def trouble(path: str, reason: str) -> None:
            nonlocal troubles
            troubles += 1
            reading.tell(path, 0, reason, "listing")

        if not os.path.lexists(self._path) and not listing.has_magic(self._path):
            trouble(self._path, "there is no such file or directory")
            return
        own = self._own()
        for found in listing.Listing([self._path], trouble).files():
            if found.path.startswith(own):
                continue
            with reading.opened(found.path) as file:
                if file is None:
                    if os.path.lexists(found.path):
                        choosing.keep(_key(found.path))
                    continue
                document = self._chosen(choosing, found.path, file, reading.tell)
            if document is not None:
                yield from reading.parts(document, found.path)
        if self.below and not os.path.isdir(self._path):
            trouble(self._path, "the directory went away while it was read; what was there of it stays")
        self.is_whole = not troubles

    def _own(self) -> tuple[str, ...]:
        """What the paths of the corpus's own files begin with, as they are listed."""
        root = self._path if self.below else listing.root_of(self._path)
        inside = below(os.path.realpath(self._corpus), os.path.realpath(root or "."))
        return (os.path.join(root, inside, ""),) if inside else ()

    def is_gone(self, key: bytes) -> bool:
        """Whether no such file is there."""
        return not os.path.lexists(os.fsdecode(key))

    def _chosen(self, choosing: Choosing, path: str, file: int, tell: Tell) -> Document | None:
        state = os.fstat(file)
        stamp = stamp_of(state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
        try:
            return choosing.choose(
                _key(path),
                shown(path),
                stamp and stamp + self._mark,
                lambda: digest_of(file, self._mark),
                self._metadata,
            )
        except OSError as error:
            tell(path, 0, f"reading it failed: {error.strerror}; what was there of it stays", "kept")
            choosing.keep(_key(path))
            return None


@final
class Remotes:
    """An object, or all objects below a prefix; or a file on the web. Each is fetched to the disk, and read there.

    Args:
        url: of it; one of an object store that ends with a slash, or names no object, is a prefix.
        metadata: of each, as JSON.
        storage_options: for the library that reaches it.
    """

    def __init__(self, url: str, metadata: str, storage_options: Mapping[str, Any]) -> None:
        from flatwater.source.files.remote import OBJECT_STORES

        self.name = public_url(url)
        self.is_whole = False
        self._url = url
        self._metadata = metadata
        self._options = dict(storage_options)
        scheme = url.partition("://")[0]
        self._is_store = scheme.lower() in OBJECT_STORES
        self.below = self.name.encode() if self._is_store and self.name.endswith("/") else b""
        if not self._is_store and scheme.lower() not in {"http", "https"}:
            raise errors.UsageError(
                f"documents are not read from {scheme}://.",
                hint="Bring them here with `flatwater sync`, and ingest the copy.",
            )

    def parts(self, choosing: Choosing, reading: Reading) -> Iterator[Part]:
        """The parts of those that are chosen."""
        with tempfile.TemporaryDirectory(prefix="flatwater-") as folder:
            try:
                for url, stamp in self._listed():
                    yield from self._one(url, stamp, folder, reading, choosing)
                self.is_whole = True
            except errors.BrokenError as error:
                reading.tell(self.name, 0, f"it could not be listed: {error}", "listing")

    def is_gone(self, key: bytes) -> bool:  # noqa: ARG002 - as others
        """Nobody knows without asking."""
        return False

    def _one(self, url: str, stamp: bytes | None, folder: str, reading: Reading, choosing: Choosing) -> Iterator[Part]:
        name = public_url(url)
        key = name.encode("utf-8", "surrogateescape")
        path = os.path.join(folder, f"document{os.path.splitext(name)[1][:16]}")

        def fetched() -> bytes:
            return _fetch(url, path, self._options)

        try:
            document = choosing.choose(key, name, stamp, fetched, self._metadata)
            if document is not None:
                yield from reading.parts(document, path)
        except (errors.BrokenError, OSError) as error:
            reading.tell(name, 0, f"it could not be fetched: {error}; what was there of it stays", "kept")
            choosing.keep(key)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _listed(self) -> Iterator[tuple[str, bytes | None]]:
        """URLs, and what tells their versions."""
        if not self._is_store:
            yield self._url, None
            return
        from flatwater.source.files.objects import listed

        yield from listed(self._url, self._options)


@final
class Rows:
    """Anything that gives an id and a text: a table, or an iterable of `(id, text)` or of dicts.

    Args:
        rows: a function that gives them, as `(id, text, metadata)`.
        name: by which they are known from run to run.
    """

    def __init__(self, rows: Callable[[], Iterable[tuple[Any, Any, Any]]], name: str) -> None:
        self._label = shown(name)
        self.name = f"rows:{self._label}"
        self.below = b""
        self.is_whole = False
        self._rows = rows

    def parts(self, choosing: Choosing, reading: Reading) -> Iterator[Part]:
        """The parts of those that are chosen."""
        for number, text, metadata in self._rows():
            name = shown(f"{self._label}/{number}")
            if number is None or isinstance(text, (bytes, bytearray)) or not (text is None or isinstance(text, str)):
                reading.tell(
                    name,
                    0,
                    f"its id is {type(number).__name__}, its text {type(text).__name__}: a text is needed",
                    "skipped",
                )
                continue
            said = metadata_text(metadata)
            digest = hashlib.blake2b(
                (text or "").encode("utf-8", "surrogatepass") + b"\0" + said.encode(), digest_size=16
            )
            document = choosing.choose(
                f"{self.name}/{number}".encode("utf-8", "surrogatepass"), name, None, digest.digest, said,
                twice="another row before it has its id, and is the document",
            )  # fmt: skip
            if document is None:
                continue
            whole = text or ""
            for start in range(0, len(whole), limits.INGEST_PIECE_BYTES):
                yield Part(document, 0, start, whole[start : start + limits.INGEST_PIECE_BYTES])
            yield Part(document, 0, 0, None)
        self.is_whole = True

    def is_gone(self, key: bytes) -> bool:  # noqa: ARG002 - as others
        """Nobody knows without asking."""
        return False


@final
class Reading:
    """Files that are read one after another, with what is wrong with each of them. A context manager.

    Args:
        reader: of documents.
        tell: called with problems.
    """

    def __init__(self, reader: Documents, tell: Tell) -> None:
        self.tell = tell
        self._reader = reader
        self._document: Document | None = None
        self._stack = contextlib.ExitStack()
        self._pieces: Callable[[str], Iterator[Piece]] | None = None

    def __enter__(self) -> Reading:
        self._pieces = self._stack.enter_context(self._reader.one_by_one(self._noted, lossless=True))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextlib.contextmanager
    def opened(self, path: str) -> Iterator[int | None]:
        """The descriptor of a regular file; None where it cannot be had, which is told unless it is gone."""
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            if os.path.islink(path):
                self.tell(path, 0, "it is a link that leads nowhere", "skipped")
            yield None
            return
        except OSError as error:
            if error.errno in _NO_FILE:
                self.tell(path, 0, _NO_FILE[error.errno], "skipped")
                yield None
                return
            self.tell(path, 0, f"it cannot be opened: {error.strerror}; what was there of it stays", "kept")
            yield None
            return
        try:
            if stat.S_ISREG(os.fstat(file).st_mode):
                yield file
            else:
                self.tell(path, 0, "it is no regular file", "skipped")
                yield None
        finally:
            os.close(file)

    def parts(self, document: Document, path: str) -> Iterator[Part]:
        """All of a document."""
        self._document = document
        assert self._pieces is not None
        first = True
        before = _version(path)
        for piece in self._pieces(path):
            if first:
                document.width = width_in(self._reader.encoding)
                first = False
            yield Part(document, piece.page, piece.start, piece.text)
        if _version(path) != before:
            document.redo()
            document.add_note("it changed while it was read; it is read again the next time")
            self.tell(document.name, 0, "it changed while it was read; it is read again the next time", "failed")
        self._document = None
        yield Part(document, 0, 0, None)

    def _noted(self, problem: ReaderProblem) -> None:
        document = self._document
        if document is None:
            return
        if problem.kind in {SKIPPED, CUT}:
            document.add_note(f"page {problem.page}: {problem.reason}" if problem.page else problem.reason)
        self.tell(document.name, problem.page, problem.reason, problem.kind)


def below(path: str, root: str) -> str | None:
    """A path as it is named from a directory on; nothing if it is not in there. An empty name is the directory itself.

    >>> below("/a/b/c", "/a"), below("/ab", "/a")
    ('b/c', None)
    """
    if path == root:
        return ""
    root = os.path.join(root, "")
    return path[len(root) :] if path.startswith(root) else None


def width_in(encoding: str) -> Callable[[str], int]:
    """How many bytes of its file a text of that encoding takes; characters where there is no encoding."""
    if not encoding or encoding in _SINGLE:
        return len
    if encoding == "utf-8":
        return _utf8_width

    def width(text: str) -> int:
        try:
            return len(text.encode(encoding, "surrogateescape"))
        except UnicodeEncodeError:  # bytes that could not be kept when it was decoded
            return len(text.encode(encoding, "replace"))

    return width


def _utf8_width(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def digest_of(file: int, mark: bytes = b"") -> bytes:
    """The hash of a file's bytes from its beginning on, and of what belongs to them."""
    digest = hashlib.sha256(mark)  # which processors have instructions for: three times as fast as BLAKE2b
    buffer = bytearray(limits.INGEST_PIECE_BYTES)
    view = memoryview(buffer)
    os.lseek(file, 0, os.SEEK_SET)
    while count := os.readv(file, [buffer]):
        digest.update(view[:count])
    return digest.digest()[:_DIGEST_BYTES]


def _fetch(url: str, path: str, options: Mapping[str, Any]) -> bytes:
    """Copy what a URL has to a file; the hash of it."""
    from flatwater.source.files.chunks import FileChunks

    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for chunk in FileChunks(url, compression="none", storage_options=options):
            digest.update(chunk)
            file.write(chunk)
    return digest.digest()[:_DIGEST_BYTES]


def _version(path: str) -> tuple[int, int] | None:
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns


def _key(path: str) -> bytes:
    return os.fsencode(os.path.abspath(path))
