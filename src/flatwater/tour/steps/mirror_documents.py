"""A step of the tour: the tour's own files and the machine's documentation, mirrored to a second directory, twice.

Covers:     which files, the two runs, what the step promises, the check.
Not here:   syncs (`sync`).
Holds:      what a sync holds, and the state's file: see `MirrorDocuments.bytes_max`.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import time
from typing import final

from flatwater import errors, limits, units
from flatwater.budget import Budget
from flatwater.sync.sync import Sync
from flatwater.tour.inputs import Root
from flatwater.tour.step import Inputs, StepResult
from flatwater.units import MIB

_SOURCE, _TARGET, _STATE = "sync.small", "sync.target", "sync.state"


@final
class MirrorDocuments:
    """Mirrors as much as there is time for, looks whether both sides are the same, and mirrors them again. For one use.

    Attributes:
        trouble: why it cannot run; empty if it can.
    """

    name = "sync"
    naive = "flatwater.tour.naive.sync"

    def __init__(self) -> None:
        self.trouble = ""
        for module in ("lmdb", "tenacity", "pathspec"):
            try:
                importlib.import_module(module)
            except ImportError:
                self.trouble = str(errors.MissingExtra("sync", module))

    @property
    def bytes_least(self) -> int:
        """What a sync with two workers holds, and its state."""
        total = 0
        total += Sync("source", "destination", workers=2, list_workers=1, bytes=MIB).bytes_max()
        total += limits.TOUR_STATE_BYTES  # pages of the state's file
        total += MIB  # entries of folders, which are looked at one by one
        return total

    def bytes_max(self, room: int) -> int:  # noqa: ARG002 - it needs no more
        """The same, however much there is."""
        return self.bytes_least

    def prepare(self, inputs: Inputs) -> None:
        """Mirror one file once: what the first use imports belongs to the baseline."""
        if self.trouble:
            return
        small = os.path.join(inputs.folder, _SOURCE)
        try:
            os.makedirs(small, exist_ok=True)
            with open(os.path.join(small, "file"), "w", encoding="utf-8") as file:
                file.write("x")
            self._sync(small, inputs, ["file"]).apply()
            self._clear(inputs)
        except (OSError, errors.BrokenError) as error:
            self.trouble = f"{inputs.folder!r} cannot have a mirror: {error}; TMPDIR names another place"

    def run(self, budget: Budget, inputs: Inputs) -> StepResult:  # noqa: ARG002 - it is the ambient one
        """The tour's own files, then all roots, one after another, until time or room on the disk is over.

        Raises:
            BrokenError: the mirror is another than its source, or the second run changed something.
        """
        until_s = time.monotonic() + inputs.seconds / 2  # what is copied is looked at again
        files = size = own_bytes = failed = 0
        reason = ""
        complete = has_room = True
        own = (Root(inputs.made),) if inputs.made else ()  # the table and the page: files that are not small
        for root in (*own, *inputs.roots):
            if root.suffixes or not os.path.isdir(root.path):  # programs, which the steps before read
                continue
            room = limits.TOUR_MIRROR_OWN_BYTES if root in own else limits.TOUR_MIRROR_BYTES - size
            chosen, whole = _chosen(root.path, room, until_s)
            complete = complete and (whole or time.monotonic() <= until_s)
            has_room = has_room and whole
            if not chosen:
                continue
            sync = self._sync(root.path, inputs, [f"/{_escaped(name)}" for name in chosen])
            first = sync.apply()
            second = sync.apply()
            audit = sync.audit()
            if second.copied or second.deleted or not audit.is_fine or audit.fine != first.copied:
                raise errors.BrokenError(f"the mirror of {root.path} is not its source:\n{first}\n{second}\n{audit}")
            files += first.copied
            if root in own:
                own_bytes = first.copied_bytes
            else:
                size += first.copied_bytes
            failed += first.failed
            reason = first.failures[0][1] if first.failures else reason
            self._clear(inputs)
        notes = [f"{files:,} files mirrored; the second run copied and deleted nothing, and an audit found all of them"]
        if complete and not has_room:
            notes.append(
                f"of more: no more than {units.format_bytes(limits.TOUR_MIRROR_BYTES)} of documentation are mirrored"
            )
        if failed:
            notes.append(f"{failed:,} could not be copied: {reason}")
        details = {"files": files, "failed": failed}
        return StepResult(files, size + own_bytes, "files", complete=complete, notes=tuple(notes), details=details)

    @staticmethod
    def _sync(source: str, inputs: Inputs, include: list[str]) -> Sync:
        return Sync(
            source, os.path.join(inputs.folder, _TARGET), state=os.path.join(inputs.folder, _STATE), include=include,
            workers=2, list_workers=1, bytes=MIB, durability="off",
        )  # fmt: skip

    @staticmethod
    def _clear(inputs: Inputs) -> None:
        for name in (_SOURCE, _TARGET, _STATE):
            shutil.rmtree(os.path.join(inputs.folder, name), ignore_errors=True)


def _chosen(root: str, bytes_left: int, until_s: float) -> tuple[list[str], bool]:
    """Names in a root that have so many bytes together, with all that is below them; and whether these are all names."""
    chosen: list[str] = []
    try:
        # flatwater: allow FW202 — the names of one folder
        names = sorted(entry.name for entry in os.scandir(root) if not entry.is_symlink())
    except OSError:
        return [], False
    for name in names:
        bytes_left -= _bytes_of(os.path.join(root, name))
        if bytes_left < 0 or time.monotonic() > until_s or len(chosen) == limits.TOUR_MIRROR_NAMES:
            return chosen, False
        chosen.append(name)
    return chosen, True


def _bytes_of(path: str) -> int:
    """Of a file, or all files below a folder."""
    if not os.path.isdir(path):
        return os.lstat(path).st_size
    total = 0
    for folder, _below, files in os.walk(path):
        for name in files:
            with contextlib.suppress(OSError):  # it went meanwhile
                total += os.lstat(os.path.join(folder, name)).st_size
    return total


def _escaped(name: str) -> str:
    """A name as a pattern that is no more than it."""
    return "".join(f"\\{character}" if character in "*?[]!\\# " else character for character in name)
