"""A step of the tour: documents, cleaned, as typed rows, into a store: one flow.

Covers:     the flow, what the step promises, stopping when its time or its room is over, the check.
Not here:   flows (`pipeline`), reading documents (`tour.steps.read_documents`).
Holds:      the reader of documents and its process, the flow's batches, the store: see `FlowDocuments.bytes_max`.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Iterator
from typing import final

import msgspec

from flatwater import errors, limits
from flatwater.budget import Budget
from flatwater.pipeline.flow import Flow
from flatwater.source.documents.piece import Piece
from flatwater.store.store import Store
from flatwater.tour.step import Inputs, StepResult, is_installed
from flatwater.tour.steps import pages
from flatwater.tour.steps.read_documents import PAGE_TIMEOUT_S, ReadDocuments, opened, patterns_of
from flatwater.units import MIB

FOLDER = "passages"
STORED_SHARE = 2  # one part of the room for the store's pages is text: pages are not full


class Passage(msgspec.Struct):
    """A row, and the value of an entry."""

    source: str
    page: int
    text: str


Entry = tuple[tuple[str, int, int], Passage]


def clean(piece: Piece) -> Piece:
    """Each run of white space becomes one space."""
    return piece._replace(text=" ".join(piece.text.split()))


def has_text(piece: Piece) -> bool:
    """What is left is not empty."""
    return bool(piece.text)


def entry(piece: Piece) -> Entry:
    """A typed row under its place."""
    return (piece.source, piece.page, piece.start), Passage(piece.source, piece.page, piece.text)


@final
class FlowDocuments:
    """Runs the flow, and adds up what is in the store. For one use, in one thread.

    Attributes:
        trouble: why it cannot run; empty if it can.
    """

    name = "flow"
    naive = "flatwater.tour.naive.flow"

    def __init__(self) -> None:
        self.trouble = ReadDocuments().trouble
        self._page = ""
        try:
            importlib.import_module("lmdb")
        except ImportError:
            self.trouble = self.trouble or str(errors.MissingExtra("store", "lmdb"))

    @property
    def bytes_least(self) -> int:
        """With few passages."""
        return self._working_bytes() + MIB

    def bytes_max(self, room: int) -> int:
        """As much as the store's file may have, up to a bound: its pages are resident as long as nobody needs the memory."""
        total = 0
        total += self._working_bytes()  # beside the file
        total += min(room - total, limits.TOUR_STORE_BYTES)  # pages of the store's file
        return total

    def prepare(self, inputs: Inputs) -> None:
        """Run a flow into a store once: what the first use imports belongs to the baseline."""
        if self.trouble:
            return
        if is_installed("apsw"):
            self._page = pages.make(inputs)
        try:
            with self._store(inputs) as store:
                Flow([Piece("", 0, 0, 1, "x")]).map(clean).filter(has_text).map(entry).to(store).run()
                store.write([(("", 0, 0), None)])
        except (OSError, errors.BrokenError) as error:
            self.trouble = f"the store could not be made in {inputs.folder!r}: {error}; TMPDIR names another place"

    def run(self, budget: Budget, inputs: Inputs) -> StepResult:
        """All documents in the roots of `inputs`, until time or room is over.

        Raises:
            BrokenError: what is in the store is not what went into it.
        """
        until_s = time.monotonic() + inputs.seconds
        stored_max = max(MIB, budget.free - self._working_bytes()) // STORED_SHARE
        characters = size = 0
        complete, has_room = True, True
        documents = opened(patterns_of(inputs.roots, self._page), min(PAGE_TIMEOUT_S, inputs.seconds))

        def pieces() -> Iterator[Piece]:
            nonlocal complete, has_room, size
            with documents:
                for piece in documents:
                    yield piece
                    size += len(piece.text.encode("utf-8", "surrogatepass"))
                    complete, has_room = time.monotonic() < until_s, size < stored_max
                    if not complete or not has_room:
                        return

        def count(pair: Entry) -> None:
            nonlocal characters
            characters += len(pair[1].text)

        with self._store(inputs) as store:
            report = Flow(pieces).map(clean).filter(has_text).map(entry).each(count).to(store).run(on_error="skip")
            left = sum(len(passage.text) for batch in store.batches() for _key, passage in batch)
            entries = store.count_estimate()
        if left != characters or entries != report.items:
            raise errors.BrokenError(
                f"{entries:,} passages with {left:,} characters are in the store; "
                f"{report.items:,} with {characters:,} went into it."
            )
        notes = [
            f"{report.items:,} passages of {documents.report.documents:,} documents; {left:,} characters, and add up"
        ]
        if not has_room:
            notes.append("more have no room in the promise")
        if report.skipped:
            notes.append(f"{report.skipped:,} could not be stored: {report.failures[0].error}")
        details = {
            "documents": documents.report.documents,
            "passages": report.items,
            "characters": left,
            "skipped": report.skipped,
        }
        return StepResult(report.items, size, "passages", complete=complete, notes=tuple(notes), details=details)

    @staticmethod
    def _store(inputs: Inputs) -> Store:
        return Store(os.path.join(inputs.folder, FOLDER), backend="lmdb", sync="off", type=Passage)

    @staticmethod
    def _working_bytes() -> int:
        total = 0
        total += opened([]).bytes_max()  # the reader, and the other process
        total += limits.STORE_LMDB_BYTES  # LMDB itself
        total += Flow(()).map(clean).filter(has_text).map(entry).bytes_max()  # batches
        total += 4 * limits.FLOW_BATCH_BYTES  # entries, encoded, on their way in; two batches on their way out
        total += limits.STORE_COMMIT_BYTES  # one transaction
        total += MIB  # as the store counts small things
        return total
