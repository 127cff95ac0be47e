"""Which documents of a source are read: those that are new or changed, told with as little reading as can be.

Covers:     comparing a stamp, then the bytes, with what the manifest knows; counting; what a run without changes would do.
Not here:   listing and reading (`sources`), removing what has vanished (`ingesting`).
Holds:      the record of one document.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

from flatwater import limits
from flatwater.ingest.document import Document
from flatwater.ingest.manifest import Known, Manifest
from flatwater.ingest.report import Report

COMPARE = b""  # a stamp that says: compare the bytes


@final
class Choosing:
    """The choice of one run. For one thread.

    Args:
        manifest: what is known.
        report: where it is counted.
        stages: the number of the versions of all that is done to a document; 0 where there are none of these yet.
        is_dry: nothing is written, not even that a stamp has changed.
        again: documents that something was wrong with are read again.
    """

    def __init__(self, manifest: Manifest, report: Report, stages: int, *, is_dry: bool, again: bool) -> None:
        self._manifest = manifest
        self._report = report
        self._stages = stages
        self._is_dry = is_dry
        self._again = again
        self.source = 0

    def choose(
        self,
        key: bytes,
        name: str,
        stamp: bytes | None,
        digest: Callable[[], bytes],
        metadata: str = "{}",
        *,
        twice: str = "",
    ) -> Document | None:
        """The document, if it has to be read.

        Args:
            key: by which it is known.
            name: for people.
            stamp: what tells its version without reading it; None where nothing does.
            digest: gives the hash of its bytes; it may raise what reading raises.
            metadata: of it, as JSON.
            twice: what is told of it where it came before in this run; otherwise it is passed by in silence.
        """
        known = self._manifest.find(key)
        is_first = self._manifest.see_new(key) if known is None else self._manifest.see(known.id)
        report = self._report
        if not is_first:
            if twice:
                report.add(name, 0, twice, "skipped")
            return None
        report.documents += 1
        if known is not None and self._is_same(known, stamp):
            self._keep(known, name, known.stamp)
            return None
        found = digest()
        if known is not None and known.stages == self._stages and known.hash == found and not self._is_retried(known):
            self._keep(known, name, stamp)
            return None
        if known is None:
            report.new += 1
        else:
            report.changed += 1
        if self._is_dry:
            return None
        return Document(
            key, name, source=self.source, stages=self._stages, metadata=metadata, stamp=stamp, digest=found
        )

    def keep(self, key: bytes) -> None:
        """It is there, and cannot be read now: what is known of it stays."""
        known = self._manifest.find(key)
        if known is not None and self._manifest.see(known.id):
            self._report.documents += 1
            self._report.kept += 1

    def _is_same(self, known: Known, stamp: bytes | None) -> bool:
        return bool(stamp) and known.stamp == stamp and known.stages == self._stages and not self._is_retried(known)

    def _is_retried(self, known: Known) -> bool:
        return known.hash is None or (self._again and bool(known.note))

    def _keep(self, known: Known, name: str, stamp: bytes | None) -> None:
        self._report.unchanged += 1
        if known.note:
            self._report.add(name, 0, f"unchanged: {known.note}", "known")
        if not self._is_dry and (known.stamp != stamp or known.source != self.source):
            self._manifest.touch(known.id, source=self.source, name=name, stamp=stamp)


def stamp_of(size: int, mtime_ns: int, ctime_ns: int, inode: int) -> bytes:
    """What tells the version of a local file; `COMPARE` where it was written so lately that another write might not show."""
    if time.time_ns() - max(mtime_ns, ctime_ns) < limits.INGEST_TIME_STEP_NS:
        return COMPARE
    return f"{size}:{mtime_ns}:{ctime_ns}:{inode}".encode()
