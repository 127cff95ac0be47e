"""What a hunt for leaks found: rows for programs, words for people.

Covers:     leaks with counts, bytes and holders; what the collector had to free; notes; to dict and to text.
Not here:   finding them (`hunt`), colours (`cli.reports.leaks_text`).
Holds:      at most `LEAKS_MAX` rows of a few strings; no object of the program.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, final

from flatwater import errors, limits, units

LEAKS_MAX = limits.LEAKS_KEPT_MAX
LEAKS_SHOWN = 12  # of them printed
PARTS_MAX = limits.LEAK_PARTS_MAX
PARTS_SHOWN = 5  # of them printed

CONTAINER, OBJECTS, CACHE, CYCLES, NATIVE, BLOCKS, THREADS, TASKS, DESCRIPTORS, PROCESSES = (
    "container", "objects", "cache", "cycles", "native", "blocks", "threads", "tasks", "descriptors", "processes",
)  # fmt: skip

ADVICE = {
    CONTAINER: "delete the entry when its work is done, or bound it (and if it is bounded: --warmup until it is full)",
    OBJECTS: "drop the reference above when the work is done, or make it a weak one",
    CACHE: "give it a maxsize, or clear it",
    CYCLES: "break the cycle when the work is done (set one reference to None), or make one side a weakref",
    NATIVE: "look for what is opened, allocated or compiled below Python and never closed or freed",
    BLOCKS: "look for C code that takes a reference and never gives it back",
    THREADS: "join or stop the thread before the action ends, or keep one for all rounds",
    TASKS: "await or cancel the task before the action ends (asyncio.TaskGroup does)",
    DESCRIPTORS: "close it: use a with block",
    PROCESSES: "wait for it: os.waitpid, subprocess.run, or a with block of Popen",
}


class Part(NamedTuple):
    """A type of object that came with a leak: how many on a round, and their bytes."""

    type_name: str
    objects: int
    bytes: int


@final
@dataclass(frozen=True, slots=True)
class Leak:
    """One thing that grew on every round. Figures are medians of a round.

    Attributes:
        kind: "container", "objects", "cache", "cycles", "native", "blocks", "threads", "tasks", "descriptors" or
            "processes".
        name: what grew.
        count_per_round: entries, objects, threads, ... a round; 0 where only bytes are known.
        bytes_per_round: with everything that is held through it; shallow sizes of Python objects.
        chain: the shortest way to one of the new objects, from a name; empty if nobody reachable holds it.
        parts: types of the objects that stay, most bytes first.
        doubt: what the figures cannot tell; empty where there is none.
    """

    kind: str
    name: str
    count_per_round: int
    bytes_per_round: int
    chain: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    doubt: str = ""

    @property
    def advice(self) -> str:
        """What to do about it, in one line."""
        return ADVICE[self.kind]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kind": self.kind,
            "name": self.name,
            "count_per_round": self.count_per_round,
            "bytes_per_round": self.bytes_per_round,
            "chain": list(self.chain),
            "parts": [part._asdict() for part in self.parts],
            "doubt": self.doubt,
            "advice": self.advice,
        }


@final
@dataclass(frozen=True, slots=True)
class Cycles:
    """Objects that only the garbage collector could free, in one round.

    Attributes:
        objects: how many.
        bytes: of them and of what only they held.
        parts: by type.
        example: one cycle: each member with the attribute or key that leads to the next.
        is_off: the collector was off when the rounds ended, so that nobody frees them.
    """

    objects: int
    bytes: int
    parts: tuple[Part, ...] = ()
    example: tuple[str, ...] = ()
    is_off: bool = False

    def __str__(self) -> str:
        who = "nobody frees them while the collector is off" if self.is_off else "the collector frees them, later"
        return f"{_counted(self.objects, 'object')} a round in cycles, {units.format_bytes(self.bytes)}: {who}" + (
            f"; such as {arrows(self.example)}" if self.example else ""
        )


@final
@dataclass(slots=True)
class LeakReport:
    """What grew on every round.

    Attributes:
        action: its name.
        leaks: most bytes first.
        cycles: what only the collector could free, whether or not that counts as a leak; None if there was nothing.
        rounds: how many were counted; twice as many ran where something looked like a leak after the first half.
        warmup: how many ran before.
        ran: how often the action was called in all.
        notes: what else is worth knowing.
    """

    action: str
    leaks: list[Leak]
    cycles: Cycles | None
    rounds: int
    warmup: int
    ran: int
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing leaks."""
        return not self.leaks

    @property
    def bytes_per_round(self) -> int:
        """Of all leaks together."""
        return sum(leak.bytes_per_round for leak in self.leaks)

    def check(self) -> None:
        """Raise if something leaks.

        Raises:
            ProofFailed: with the table.
        """
        if self.leaks:
            raise errors.ProofFailed(str(self))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        cycles = None
        if self.cycles is not None:
            cycles = asdict(self.cycles)
            cycles["parts"] = [part._asdict() for part in self.cycles.parts]
            cycles["example"] = list(self.cycles.example)
        return {
            "action": self.action,
            "holds": self.holds,
            "rounds": self.rounds,
            "warmup": self.warmup,
            "ran": self.ran,
            "bytes_per_round": self.bytes_per_round,
            "leaks": [leak.to_dict() for leak in self.leaks],
            "cycles": cycles,
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        lines = [title(self)]
        for number, leak in enumerate(self.leaks[:LEAKS_SHOWN], 1):
            lines += ["", f"  {number}  {headline(leak)}", *(f"     {row}" for row in rows(leak))]
        if len(self.leaks) > LEAKS_SHOWN:
            lines += ["", f"  and {len(self.leaks) - LEAKS_SHOWN} smaller ones; .leaks has them all"]
        lines += [""] * bool(self.leaks and tail(self)) + [f"  {row}" for row in tail(self)]
        return "\n".join(lines)


def title(report: LeakReport) -> str:
    """The verdict in one line."""
    rounds = f"{report.rounds} rounds after {report.warmup} to warm up"
    if report.holds:
        return f"no leak: nothing grew on every round of {report.action} ({rounds})"
    size = f", {units.format_bytes(report.bytes_per_round)} a round" if report.bytes_per_round else ""
    return f"{_counted(len(report.leaks), 'leak')} in {report.action}{size}: grew on every one of {rounds}"


_NOUNS = {
    THREADS: ("thread", "threads"),
    TASKS: ("task", "tasks"),
    DESCRIPTORS: ("open descriptor", "open descriptors"),
    PROCESSES: ("child process", "child processes"),
}


def headline(leak: Leak) -> str:
    """What grew, and by how much a round."""
    count, size = leak.count_per_round, units.format_bytes(leak.bytes_per_round)
    match leak.kind:
        case "container" if count == leak.bytes_per_round:  # a buffer: its entries are bytes
            return f"{leak.name} is {size} longer after each round"
        case "container" | "cache":
            return f"{leak.name} is {_counted(count, 'entry', 'entries')} longer after each round, {size}"
        case "objects":
            if not count:
                return f"{leak.name} objects are {size} larger after each round"
            return f"{count:,} more {leak.name} after each round" + (f", {size}" if leak.bytes_per_round else "")
        case "cycles":
            return f"{leak.name}: {count:,} objects, {size} a round"
        case "threads" | "tasks" | "descriptors" | "processes":
            one, many = _NOUNS[leak.kind]
            return f"{_counted(count, f'more {one}', f'more {many}')} after each round: {leak.name}" + _beside(leak)
        case "blocks":
            return f"{_counted(count, 'more block', 'more blocks')} of Python's allocator after each round: {leak.name}"
        case _:
            return f"{size} more after each round: {leak.name}"


def rows(leak: Leak) -> list[str]:
    """What else there is to say about it, a line each."""
    lines = []
    if leak.parts:
        label = "what" if leak.kind == CYCLES else "with it"
        shown = ", ".join(
            f"{part.objects:,} {part.type_name}" if part.objects else f"a larger {part.type_name}"
            for part in leak.parts[:PARTS_SHOWN]
        )
        more = len(leak.parts) - PARTS_SHOWN
        lines.append(f"{label:<9}{shown}" + (f" and {_counted(more, 'more type')}" if more > 0 else ""))
    if leak.chain and not (leak.kind == CACHE and len(leak.chain) == 1):
        label = "a cycle" if leak.kind == CYCLES else "held by"
        lines.append(f"{label:<9}{arrows(leak.chain)}")
    elif leak.kind in {OBJECTS, CONTAINER}:
        lines.append(f"{'held by':<9}nothing that has a name: a running function's local variable, or native code")
    if leak.doubt:
        lines.append(f"{'doubt':<9}{leak.doubt}")
    lines.append(f"{'to do':<9}{leak.advice}")
    return lines


def tail(report: LeakReport) -> list[str]:
    """What is no leak, and worth knowing."""
    lines = []
    if report.cycles is not None and not any(leak.kind == CYCLES for leak in report.leaks):
        lines.append(f"no leak, but: {report.cycles}")
    lines += [f"note: {note}" for note in report.notes]
    return lines


def arrows(chain: tuple[str, ...]) -> str:
    """A chain as people read it."""
    return " -> ".join(chain)


def _beside(leak: Leak) -> str:
    return f", {units.format_bytes(leak.bytes_per_round)} of objects" if leak.bytes_per_round else ""


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
