"""What the tour promises to hold above its baseline, and taking on the kernel limit that keeps it to that.

Covers:     the promise as a sum, the baseline, joining the limit from inside.
Not here:   making the limit (`worker.limit`), what the steps hold (`tour.steps`).
Holds:      a few figures.

Why the limit is taken on by the process itself, after its imports: docs/design/0010-the-tours-limit.md.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from flatwater import errors, limits, units
from flatwater.meter.probe import usage
from flatwater.meter.retained import trim
from flatwater.tour.step import Step
from flatwater.units import KIB, MIB
from flatwater.watch.account import reusable_bytes

ROUNDING_HOLDER = "tour.rounding"


def rounding_bytes() -> int:
    """What no step holds and a process takes all the same, in bytes."""
    total = 0
    total += MIB  # the arena that Python's allocator fills last
    total += 512 * KIB  # a pool of 16 KiB for each of its 32 sizes of objects
    total += 256 * KIB  # the end of the C library's heap, which grows in steps
    total += 256 * KIB  # page tables, open files and names in the kernel, which a control group counts
    return total


def promise_of(budget_bytes: int, steps: Sequence[Step]) -> int:
    """What a tour of these steps, one after the other, promises to hold at once, in bytes; at most the budget.

    Raises:
        UsageError: the budget is too small for one of them; names the least that does.
    """
    assert steps, "a tour has steps"
    needed = [step for step in steps if not hasattr(step, "trouble")] or [min(steps, key=lambda step: step.bytes_least)]
    largest = max(needed, key=lambda step: step.bytes_least)
    least = max(rounding_bytes() + largest.bytes_least, limits.LIMIT_BYTES_MIN)
    if budget_bytes < least:
        whole_mib = -(-least // MIB)
        raise errors.UsageError(
            f"a budget of {units.format_bytes(budget_bytes)} is too small: the step {largest.name!r} needs "
            f"{units.format_bytes(least)}.",
            hint=f"The least that works is --budget {whole_mib}MiB.",
        )
    room = budget_bytes - rounding_bytes()
    total = 0
    total += rounding_bytes()  # beside the steps
    total += max((step.bytes_max(room) for step in steps if not why_left_out(step, room)), default=0)  # one at a time
    return max(total, limits.LIMIT_BYTES_MIN)


def why_left_out(step: Step, room: int) -> str:
    """Why a step is not run with `room` bytes; empty if it is, or cannot be left out."""
    trouble: str | None = getattr(step, "trouble", None)
    if trouble or trouble is None or room >= step.bytes_least:
        return trouble or ""
    needs, least = units.format_bytes(step.bytes_least), rounding_bytes() + step.bytes_least
    return f"it needs {needs}, and the budget has {units.format_bytes(max(0, room))} for it: --budget {-(-least // MIB)}MiB is enough"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The process after its imports, before any step; bytes, -1 where unknown.

    Attributes:
        rss: resident.
        anon: of these, anonymous.
        data: address space for data (VmData), touched or not.
        reusable: freed by the imports and kept by the allocators: steps may take it without the process growing.
        doubt: what the platform does not tell.
    """

    rss: int
    anon: int
    data: int
    reusable: int
    doubt: str = ""

    @classmethod
    def take(cls) -> Baseline:
        """Collect, give back what can be given, and read. Costs about 20 ms."""
        gc.collect()
        trim()
        seen = usage()
        return cls(seen.rss, seen.anon, seen.data, reusable_bytes(), seen.doubt)

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {f"{name}_bytes" if name != "doubt" else name: value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Held:
    """The limit that holds a process to its promise.

    Attributes:
        kind: "cgroup v2", "cgroup v1", "rlimit_data" or "none".
        bytes: the kernel's figure. A control group counts from nothing, RLIMIT_DATA from the start of the process.
        above_baseline: bytes that the process can take above its baseline at most; -1 if nothing holds it.
        note: why not a better one.
    """

    kind: str
    bytes: int
    above_baseline: int
    note: str = ""

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "kind": self.kind,
            "limit_bytes": self.bytes,
            "above_baseline_bytes": self.above_baseline,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit that a process is to put itself under.

    Attributes:
        kind: of a `worker.LimitGroup`.
        bytes: above the baseline.
        procs_file: of the group, if it is a control group. It keeps what a process takes from the moment it joins, and
            nothing of what it had: so its limit is the promise, whatever the baseline.
        may_fall_back: to RLIMIT_DATA, if the group cannot be joined.
    """

    kind: str
    bytes: int
    procs_file: str = ""
    may_fall_back: bool = True

    def take(self, baseline: Baseline) -> Held:
        """Put this process, with `baseline` now, under it for good.

        Raises:
            BrokenError: the group cannot be joined, and that is no reason for another kind.
        """
        kind, note = self.kind, ""
        if self.procs_file:
            try:
                with open(self.procs_file, "w", encoding="ascii") as file:
                    file.write("0")
            except OSError as error:
                note = f"{kind} could not be joined: {(error.strerror or str(error)).lower()}"
                if not self.may_fall_back:
                    raise errors.BrokenError(f"{note}.", hint="Use --limit-kind rlimit_data, or auto.") from error
                kind = "rlimit_data"
            else:
                return Held(kind, self.bytes, self.bytes)
        if kind == "rlimit_data":
            return _limit_data(self.bytes, baseline, note)
        return Held("none", self.bytes, -1, note or "this system keeps no memory limit for a process")


def _limit_data(promise_bytes: int, baseline: Baseline, note: str) -> Held:
    """RLIMIT_DATA counts address space, so what the baseline mapped and did not touch may still be used."""
    import resource

    if baseline.data < 0:
        return Held("none", promise_bytes, -1, note or "this system does not tell what RLIMIT_DATA counts")
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = baseline.data + promise_bytes
    if hard != resource.RLIM_INFINITY and hard < limit:
        note = "; ".join(filter(None, [note, "a lower hard limit was there before and holds"]))
        limit = hard
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    untouched = max(0, baseline.data - max(0, baseline.anon))
    return Held("rlimit_data", limit, limit - baseline.data + untouched, note)
