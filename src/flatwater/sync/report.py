"""What a plan would do, a run did, an audit found: figures, failures, a table of phases.

Covers:     texts for people, dicts for JSON.
Not here:   counting.
Holds:      up to `limits.SYNC_FAILURES_KEPT` failures, and as many changes of a plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

from flatwater import units
from flatwater.sync.auditing import Difference
from flatwater.sync.phases import Phase, table
from flatwater.sync.remote import shown, text_of
from flatwater.sync.scanning import Told

_SHOWN_MAX = 10  # of a list in a report: as many as a person reads


@dataclass(kw_only=True)
class Base:
    """What all three say.

    Attributes:
        source, destination: where, without anything secret.
        state: its directory.
        compared: how versions of the source were told apart, in words.
        unread: how many folders could not be listed; then nothing is deleted.
        unread_folders: the first of them, each with the reason.
        phases: what each took.
    """

    source: str
    destination: str
    state: str
    compared: str = ""
    unread: int = 0
    unread_folders: list[tuple[bytes, str]] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)

    def _head(self, verb: str) -> list[str]:
        return [f"{verb} {self.source} -> {self.destination}"]

    def _tail(self) -> list[str]:
        lines = []
        if self.unread:
            lines.append(
                f"{_files(self.unread, 'folder')} could not be listed: nothing below is known, and nothing is deleted."
            )
            lines += [f"  {reason}" for _folder, reason in self.unread_folders[:_SHOWN_MAX]]
        if self.phases:
            lines += ["", table(self.phases)]
        return lines

    def _dict(self) -> dict[str, Any]:
        return {
            "source": self.source, "destination": self.destination, "state": self.state, "compared": self.compared,
            "unread": self.unread, "unread_folders": [[text_of(path), reason] for path, reason in self.unread_folders],
            "phases": [each.to_dict() for each in self.phases],
        }  # fmt: skip


@final
@dataclass(kw_only=True)
class Plan(Base):
    """What `apply` would do now.

    Attributes:
        files: of the source.
        bytes: of these.
        new, changed, pending, retry, refused: how many files of each kind would be copied (refused: would fail).
        copy_bytes: of these.
        delete: how many would be deleted at the destination.
        guard: why they would not be; "" if they would.
        changes: the first of them all.
    """

    files: int = 0
    bytes: int = 0
    new: int = 0
    changed: int = 0
    pending: int = 0
    retry: int = 0
    refused: int = 0
    copy_bytes: int = 0
    delete: int = 0
    guard: str = ""
    changes: list[Told] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.new or self.changed or self.pending or self.retry or self.refused or self.delete)

    def __str__(self) -> str:
        lines = self._head("plan:")
        lines.append(f"{_files(self.files)}, {units.format_bytes(self.bytes)}; compared by {self.compared}")
        for count, text in (
            (self.new, "new"), (self.changed, "changed"), (self.pending, "left over from an earlier run"),
            (self.retry, "to be tried again"), (self.refused, "that the destination cannot have"),
        ):  # fmt: skip
            if count:
                lines.append(f"  {count:>11,}  {text}")
        if self.delete:
            lines.append(f"  {self.delete:>11,}  gone, to be deleted")
        copied = self.new + self.changed + self.pending + self.retry
        lines.append(
            "nothing to do" if self.is_empty else f"would copy {_files(copied)}, {units.format_bytes(self.copy_bytes)}"
        )
        if self.guard:
            lines.append(self.guard)
        return "\n".join(lines + self._tail())

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        names = (
            "files",
            "bytes",
            "new",
            "changed",
            "pending",
            "retry",
            "refused",
            "copy_bytes",
            "delete",
            "guard",
            "is_empty",
        )
        return {**self._dict(), **{name: getattr(self, name) for name in names}}


@final
@dataclass(kw_only=True)
class Report(Base):
    """What a run did.

    Attributes:
        files: of the source that were listed.
        new, changed, missing: that the scan found.
        copied: files.
        copied_bytes: that went through the process for them.
        failed: files that could not be copied; they are ERROR in the state, and tried again in the next run.
        gone: files that vanished between the listing and the copy.
        deleted: at the destination.
        not_deleted: files that could not be deleted there; the next run tries again.
        repaired: files that the destination had lost or altered, with `check_destination`.
        adopted: files that the destination had already, with `check_destination`.
        left: files that are NEW still, of those that `include` and `exclude` take.
        counts: files of each status at the end, also of those that are left out now.
        failures: the first of those that failed, each with the reason.
        resumed: what an earlier run that was killed had left, in words; "" for nothing.
        alerts: thresholds that were crossed, a sentence each.
        promised: bytes that the run had from the budget at its end.
    """

    files: int = 0
    new: int = 0
    changed: int = 0
    missing: int = 0
    copied: int = 0
    copied_bytes: int = 0
    failed: int = 0
    gone: int = 0
    deleted: int = 0
    not_deleted: int = 0
    repaired: int = 0
    adopted: int = 0
    left: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[bytes, str]] = field(default_factory=list)
    resumed: str = ""
    alerts: list[str] = field(default_factory=list)
    promised: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether the destination has now all that the source had when it was listed."""
        return not (self.failed or self.unread or self.not_deleted or self.left)

    def __str__(self) -> str:
        lines = self._head("sync:")
        if self.resumed:
            lines.append(self.resumed)
        lines.append(
            f"{_files(self.files)} listed, compared by {self.compared}: "
            f"{self.new:,} new, {self.changed:,} changed, {self.missing:,} gone"
        )
        lines.append(
            f"copied {_files(self.copied)}, {units.format_bytes(self.copied_bytes)}; deleted {_files(self.deleted)}"
        )
        for count, text in (
            (self.repaired, "lost or altered at the destination, copied again"),
            (self.adopted, "at the destination already"),
            (self.gone, "that vanished before being copied"),
            (self.not_deleted, "that could not be deleted; the next run tries again"),
            (self.failed, "failed; the next run tries again:"),
        ):
            if count:
                lines.append(f"{_files(count)} {text}")
        lines += [f"  {reason}" for _path, reason in self.failures[:_SHOWN_MAX]]
        if self.failed > _SHOWN_MAX:
            lines.append(f"  and {self.failed - _SHOWN_MAX:,} more")
        lines += [f"alert: {each}" for each in self.alerts]
        return "\n".join(lines + self._tail())

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        names = (
            "files", "new", "changed", "missing", "copied", "copied_bytes", "failed", "gone", "deleted", "not_deleted",
            "repaired", "adopted", "left", "counts", "resumed", "alerts", "promised", "is_complete",
        )  # fmt: skip
        found = {**self._dict(), **{name: getattr(self, name) for name in names}}
        found["failures"] = [[text_of(path), reason] for path, reason in self.failures]
        return found


@final
@dataclass(kw_only=True)
class Audit(Base):
    """What an audit found.

    Attributes:
        files: of the destination.
        fine: that are as they were copied.
        missing, altered: that are not, though nobody told the state.
        unknown: that no sync put there; they are left alone.
        pending: that are not synced by now.
        repairs: whether missing and altered files are copied again with the next run.
        differences: the first of them, each as its kind, path and size.
    """

    files: int = 0
    fine: int = 0
    missing: int = 0
    altered: int = 0
    unknown: int = 0
    pending: int = 0
    repairs: bool = False
    differences: list[Difference] = field(default_factory=list)

    @property
    def is_fine(self) -> bool:
        """Whether the destination has what was copied to it."""
        return not (self.missing or self.altered or self.unread)

    def __str__(self) -> str:
        lines = self._head("audit:")
        lines.append(f"{_files(self.files)} at the destination, {self.fine:,} of them as they were copied")
        for count, text in (
            (self.missing, "missing"), (self.altered, "altered"), (self.unknown, "that no sync put there"),
            (self.pending, "not synced by now"),
        ):  # fmt: skip
            if count:
                lines.append(f"  {count:>11,}  {text}")
        lines += [f"  {kind:<8} {shown(path)}" for kind, path, _size in self.differences[:_SHOWN_MAX]]
        if self.missing or self.altered:
            lines.append(
                "they are copied again with the next apply"
                if self.repairs
                else "apply --check-destination copies what is missing or altered again"
            )
        return "\n".join(lines + self._tail())

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        names = ("files", "fine", "missing", "altered", "unknown", "pending", "repairs", "is_fine")
        found = {**self._dict(), **{name: getattr(self, name) for name in names}}
        found["differences"] = [[kind, text_of(path), size] for kind, path, size in self.differences]
        return found


def _files(count: int, noun: str = "file") -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
