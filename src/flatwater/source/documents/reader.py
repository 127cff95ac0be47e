"""Documents as a stream of pieces, in a bounded number of bytes, wherever they begin and however they are broken.

Covers:     what to read, in which order, from which place on; what becomes of what cannot be read.
Not here:   the formats (`plain`, `pdf`, `markup`, `word`), finding files (`listing`).
Holds:      the parts that are named in `Documents.bytes_max`.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import weakref
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Literal, Never, Self, final

from flatwater import errors, limits
from flatwater.budget import Budget
from flatwater.source.documents import asking, kinds, listing, lump, plain, remote, serving
from flatwater.source.documents.piece import Piece, Position, position_of
from flatwater.source.documents.report import (
    AGAIN,
    CUT,
    GUESSED,
    PROBLEM_BYTES_MAX,
    SKIPPED,
    Problem,
    Report,
    printable,
)

HOLDER = "documents"


class DocumentError(errors.BrokenError):
    """A document or page could not be read, and `on_error="raise"` was asked for.

    Attributes:
        source: the path.
        page: of a PDF, from 1; else 0.
    """

    def __init__(self, message: str, *, source: str = "", page: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.source = source
        self.page = page


@final
class Documents:
    """The pieces of some documents. Made by `documents`; one thread reads.

    Iterate to read, with `for` or `async for`. A loop that is left ends the child process, and a later loop goes on where it
    stopped. `close`, leaving a `with` and being collected end it too. It belongs to the process that made it.

    Attributes:
        report: what was read, and what could not be.
        encoding: of the text that is read; "" for what is none.
    """

    def __init__(
        self,
        paths: list[str],
        *,
        piece_bytes: int,
        encoding: str,
        password: str,
        skips: bool,
        worker_limit: int,
        page_bytes_max: int,
        page_timeout_s: float,
        expanded_bytes_max: int,
        resume: Position | None,
        budget: Budget,
    ) -> None:
        self.report = Report()
        self.encoding = ""
        self._is_lossless = False
        self._told: Callable[[Problem], object] | None = None
        self._paths = paths
        self._piece_bytes = piece_bytes
        self._encoding = encoding
        self._skips = skips
        self._worker_limit = worker_limit
        self._page_timeout_s = page_timeout_s
        self._position = resume
        self._budget = budget
        self._request = serving.Request(
            "", "", 0, 0, piece_bytes, page_bytes_max, expanded_bytes_max, limits.DOCUMENT_LUMP_BYTES, limits.DOCUMENT_LUMP_S, 0, password, encoding
        )  # fmt: skip
        self._running: weakref.ref[Generator[object]] | None = None  # weak: a loop that is left ends at once
        self._child: lump.Child | None = None  # of the loop that runs
        self._owner = os.getpid()
        self._closed = self._ended = False

    @property
    def position(self) -> Position | None:
        """The place after the last piece that was given out: pass it as `resume` to go on there. None before the first."""
        return self._position

    def bytes_max(self) -> int:
        """The most that reading holds at once, in bytes. All but the worker is reserved when a loop begins."""
        total = self._own_bytes_max()
        total += self._worker_limit  # the process for PDF, HTML and DOCX, from the first of them on
        return total

    def _own_bytes_max(self) -> int:
        total = 0
        total += limits.DOCUMENT_NAMES_BYTES_MAX  # names of files in directories that are open
        total += plain.bytes_max(self._piece_bytes)  # of a text: a window and two pieces
        total += lump.bytes_max(self._piece_bytes, 0)  # of what the worker reads: one answer
        total += limits.DOCUMENT_PROBLEMS_KEPT_MAX * PROBLEM_BYTES_MAX  # the report
        return total

    def __iter__(self) -> Iterator[Piece]:
        self._check_free()
        running = self._pieces()
        self._running = weakref.ref(running)
        return running

    async def __aiter__(self) -> AsyncIterator[Piece]:
        """The same for coroutines: each piece is read in a thread, and the event loop goes on.

        A piece that was being read when the task was cancelled counts as not given out: a later loop begins with it, as soon
        as the thread has ended.
        """
        import asyncio

        self._check_free()
        steps = self._steps()
        self._running = weakref.ref(steps)
        try:
            while True:
                gate = self._budget.gate
                if not gate.is_open and not await gate.wait_async():
                    raise self._kept_out()
                step = await asyncio.to_thread(next, steps, None)
                if step is None:
                    break
                yield self._given(*step)
        finally:
            self._end(steps)

    def close(self) -> None:
        """End the child process and give all bytes back. From any thread; closing twice is fine.

        A loop that runs in another thread ends within a piece.
        """
        self._closed = True
        running = self._running() if self._running else None
        if running is not None:
            self._end(running)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> Never:
        raise errors.UsageError(
            "a reader of documents cannot be pickled or copied.",
            hint="Send its `position`, and make a reader with resume= there.",
        )

    def __repr__(self) -> str:
        state = "closed" if self._closed else "at its end" if self._ended else f"{self.report.pieces:,} pieces so far"
        return f"<Documents of {len(self._paths):,} paths, {state}>"

    @contextlib.contextmanager
    def one_by_one(
        self, told: Callable[[Problem], object] | None = None, *, lossless: bool = False
    ) -> Iterator[Callable[[str], Iterator[Piece]]]:
        """For those who choose the files themselves: a function that gives the pieces of the file it is called with.

        The bytes are reserved and the child lives as long as this is open; one file is read to its end, or left, before the
        next. `position` says nothing of them.

        Args:
            told: called with each problem; the report has the first of them and all counts.
            lossless: bytes of texts that cannot be decoded are lone surrogates, as by `errors="surrogateescape"`, so that
                `encoding` turns each part of a text into as many bytes as it has in the file.
        """
        self._check_free()
        self._is_lossless, self._told = lossless, told
        with self._budget.reserve(self._own_bytes_max(), HOLDER):
            child = self._child = lump.Child(self._budget, self._worker_limit, self._piece_bytes, self._page_timeout_s)

            def pieces(path: str) -> Iterator[Piece]:
                self.encoding = ""
                for _position, piece in self._document(listing.Found(0, path), child, None):
                    self.report.pieces += 1
                    yield piece

            try:
                yield pieces
            finally:
                self._child = None
                child.close()

    # --- reading ------------------------------------------------------------------------------------------------------

    def _check_free(self) -> None:
        self._check_process()
        if self._closed:
            raise errors.ClosedError("this reader is closed.", hint="Make another, with resume=reader.position.")
        running = self._running() if self._running else None
        if getattr(running, "gi_frame", None) is not None:  # neither collected nor at its end
            raise errors.UsageError(
                "another loop reads these documents.", hint="Call fw.documents once for each loop that runs at a time."
            )

    def _check_process(self) -> None:
        if os.getpid() != self._owner:  # both would read on in one open file, and each miss what the other reads
            raise errors.ClosedError(
                "this reader belongs to the process that this one was forked from.",
                hint="Make one in this process, with resume=reader.position.",
            )

    def _pieces(self) -> Generator[Piece]:
        with contextlib.closing(self._steps()) as steps:
            for position, piece in steps:
                yield self._given(position, piece)

    def _given(self, position: Position, piece: Piece) -> Piece:
        """The same piece: it is given out now."""
        self._position = position
        self.report.pieces += 1
        return piece

    def _end(self, running: Generator[object]) -> None:
        try:
            running.close()
        except ValueError:  # it runs, in another thread: it ends at its next look
            child = self._child
            if child is not None:
                child.interrupt()

    def _steps(self) -> Generator[tuple[Position, Piece]]:
        if self._ended:
            return
        with self._budget.reserve(self._own_bytes_max(), HOLDER):
            child = lump.Child(self._budget, self._worker_limit, self._piece_bytes, self._page_timeout_s)
            self._child = child
            try:
                files = listing.Listing(self._paths, lambda path, reason: self._problem(path, 0, reason, SKIPPED))
                first = self._position
                if first and not files.holds(first.argument, first.source):
                    raise errors.UsageError(
                        f"resume= is a place in {first.source!r}, which is not among what is read now.",
                        hint="Pass the same paths, spelled the same way, as to the reader that the position is of.",
                    )
                for found in files.files(*(first[:2] if first else ())):
                    self._pass_gate()
                    yield from self._document(found, child, first)
                self._ended = True
            except errors.ClosedError:
                if not (self._closed or child.interrupted):
                    raise  # else another thread closed it, and it ends
            finally:
                self._child = None
                child.close()

    def _document(
        self, found: listing.Found, child: lump.Child, first: Position | None
    ) -> Iterator[tuple[Position, Piece]]:
        source = found.path
        try:
            file = open(source, "rb", buffering=0, opener=_open_at_once)  # noqa: SIM115 - closed below, where it is read
        except OSError as error:
            self._problem(source, 0, f"it cannot be opened: {error.strerror}", SKIPPED)
            return
        with file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                self._problem(source, 0, "it is no regular file", SKIPPED)
                return
            page = offset = 0
            if first is not None and found == first[:2]:
                if (state.st_size, state.st_mtime_ns) == (first.size, first.mtime_ns):
                    page, offset = first.page, first.offset
                else:
                    self._problem(source, 0, "it changed since the position was taken; read from its beginning", AGAIN)
            for number, start, stop, text in self._parts(file, source, page, offset, child):
                position = Position(found.argument, source, number, stop, state.st_size, state.st_mtime_ns)
                yield position, Piece(source, number, start, stop, text)
                self._check_process()

    def _parts(self, file: io.FileIO, source: str, page: int, offset: int, child: lump.Child) -> Iterator[serving.Part]:
        try:
            head = file.read(limits.DOCUMENT_HEAD_BYTES)
            kind, reason = kinds.kind_of(source, head, self._encoding)
            if reason:
                self._problem(source, 0, reason, SKIPPED)
                return
            del head
            self.report.documents += 1
            if kind == kinds.TEXT:
                yield from self._text(file, source, offset)
                return
        except OSError as error:
            self._problem(source, 0, f"reading it failed: {error.strerror}", CUT)
            return

        def empty() -> None:
            self.report.pages_empty += 1

        def problem(number: int, reason: str, how: str) -> None:
            self._problem(source, number, reason, how)

        request = self._request._replace(path=os.path.abspath(source), kind=kind, page=page, offset=offset)
        before = os.fstat(file.fileno())
        yield from remote.RemoteDocument(child, request, problem, empty, self._pass_gate).pieces()
        try:
            after = os.stat(source)
        except OSError:  # the child had it open
            return
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            self._problem(source, 0, "it was written while it was read; the pieces may be of both versions", CUT)

    def _text(self, file: io.FileIO, source: str, offset: int) -> Iterator[serving.Part]:
        def guess(reason: str) -> None:
            self._problem(source, 0, reason, GUESSED)

        size = os.fstat(file.fileno()).st_size
        file.seek(0)
        self.encoding, mark_bytes = plain.encoding_of(file, self._encoding, guess if not offset else None)
        for start, stop, text in plain.pieces(
            file, self._piece_bytes, max(offset, mark_bytes), self.encoding, guess, is_lossless=self._is_lossless
        ):
            yield 0, start, stop, text
            self._pass_gate()
        left = os.fstat(file.fileno()).st_size
        if left < size:
            self._problem(source, 0, f"it shrank from {size:,} to {left:,} bytes while it was read", CUT)

    def _pass_gate(self) -> None:
        if self._closed or (self._child is not None and self._child.interrupted):
            raise errors.ClosedError("this reader is closed.")
        gate = self._budget.gate
        if not gate.is_open and not gate.wait():
            raise self._kept_out()

    def _kept_out(self) -> errors.LimitReached:
        return errors.LimitReached(
            f"the budget's gate stayed closed: {self._budget.gate.reason}.",
            what="GATE_WAIT_S",
            hint="Resume it, and read on.",
        )

    def _problem(self, source: str, page: int, reason: str, kind: str) -> None:
        problem = self.report.add(source, page, reason, kind)
        if self._told is not None:
            self._told(problem)
        if not self._skips and kind in {SKIPPED, CUT}:
            raise DocumentError(
                f"{printable(problem)}.", source=source, page=page, hint='on_error="skip" reports it and reads on.'
            )


def documents(
    path: asking.Paths,
    *,
    piece_bytes: str | int = limits.DOCUMENT_PIECE_BYTES,
    encoding: str | None = None,
    password: str = "",
    on_error: Literal["skip", "raise"] = "skip",
    worker_limit: str | int = limits.DOCUMENT_WORKER_LIMIT_BYTES,
    page_bytes_max: str | int = limits.DOCUMENT_PAGE_BYTES_MAX,
    page_timeout_s: str | float = limits.DOCUMENT_PAGE_TIMEOUT_S,
    expanded_bytes_max: str | int = limits.DOCUMENT_EXPANDED_BYTES_MAX,
    resume: Position | list[object] | None = None,
) -> Documents:
    r"""Read documents as a stream of pieces of text: text files, Markdown, HTML, DOCX and PDF, of any size and number.

    What a file is is told by its content first, and by its name where that does not say. What cannot be read, as a whole or a
    page of it, is in the reader's `report`, and the rest is given out. A file without text, such as a picture, is
    reported. PDF, HTML and DOCX are read in a process of its own below `worker_limit`, which a hostile file can end, but not pass.

    Memory: `Documents.bytes_max`, from the ambient budget: about 7 MiB, and `worker_limit` from the first document that is no
    plain text. It depends on `piece_bytes`, and on nothing that is read. Not thread-safe: one thread reads.

    Args:
        path: a file, a directory (all files below it), a pattern such as `"docs/**/*.pdf"`, or several of these. Files come
            sorted by path for each of these; names that begin with a dot are left out.
        piece_bytes: the most that a piece has as UTF-8. A piece ends after a paragraph, else a line, else a space, at least
            half full; never inside a character.
        encoding: of texts and HTML that do not say theirs; without it UTF-8, or Windows-1252 where that fits better (it is
            reported).
        password: of encrypted PDFs.
        on_error: "skip" reports what cannot be read and goes on, "raise" stops there.
        worker_limit: bytes for the process that reads PDF, HTML and DOCX.
        page_bytes_max: of the text of a PDF's page; what is beyond is left out, and reported.
        page_timeout_s: seconds, or a text such as "10s", for one page, or 64 KiB of HTML or DOCX.
        expanded_bytes_max: of a DOCX, unpacked; what is beyond is left out, and reported.
        resume: the `position` of an earlier reader of the same paths: go on behind it. A document that changed since is read
            from its beginning, and reported.

    Raises:
        UsageError: an argument that makes no sense.
        BrokenError: a single path that is not there.
        BudgetExceeded: while reading, the ambient budget has no room.
        MissingExtra: while reading, a library is not installed that a document needs.
        DocumentError: while reading, with `on_error="raise"`.

    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "notes.md").write_text("# Notes\n\nOne budget, many parts.\n")
    >>> with documents(folder) as reader:
    ...     for piece in reader:
    ...         print(piece.start, piece.stop, repr(piece.text))
    0 33 '# Notes\n\nOne budget, many parts.\n'
    >>> print(reader.report)
    1 documents, 1 pieces; 0 skipped, 0 cut, 0 guessed
    """
    if on_error not in {"skip", "raise"}:
        raise errors.UsageError(f"on_error={on_error!r}: 'skip' or 'raise'.")
    if not isinstance(password, str) or "\0" in password or password.encode("utf-8", "replace").decode() != password:
        raise errors.UsageError(
            "the password is a text, without zeros and lone surrogates.", hint="Pass password='...'."
        )
    position = None if resume is None else position_of(resume)
    paths = asking.checked_paths(path)
    if position and position.argument >= len(paths):
        raise errors.UsageError(
            f"resume= is a place in path {position.argument + 1:,}, and there are {len(paths):,}.",
            hint="Pass the same paths as to the reader that the position is of.",
        )
    return Documents(
        paths,
        piece_bytes=asking.between(
            piece_bytes, "piece_bytes", limits.DOCUMENT_PIECE_BYTES_MIN, limits.DOCUMENT_PIECE_BYTES_MAX
        ),
        encoding=plain.checked_encoding(encoding) if encoding is not None else "",
        password=password,
        skips=on_error == "skip",
        worker_limit=errors.bytes_of(worker_limit, what="worker_limit", least=limits.DOCUMENT_WORKER_LIMIT_BYTES_MIN),
        page_bytes_max=errors.bytes_of(page_bytes_max, what="page_bytes_max", least=limits.DOCUMENT_PIECE_BYTES_MIN),
        page_timeout_s=errors.seconds_of(page_timeout_s, what="page_timeout_s", most=limits.WAIT_S_MAX),
        expanded_bytes_max=errors.bytes_of(expanded_bytes_max, what="expanded_bytes_max", least=1),
        resume=position,
        budget=Budget.current(),
    )


def _open_at_once(path: str, flags: int) -> int:
    """A pipe without a writer would keep us waiting; regular files do not mind."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
