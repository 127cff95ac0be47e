"""Find what grows on every round trip.

Covers:     warming up, looking once before and once after the rounds, looking at each round where something grew.
Not here:   the words (`report`), putting what grew down to its holders (`findings`).
Holds:      two counts by type and the lengths of all containers (about 100 bytes a container); where something grew, a
            reference to every reachable object and about 110 bytes for each, between rounds only.

What grows on every round has grown between the first round and the last. So a program in which nothing did is clean
after two censuses; only for one in which something did, the rounds run again with a census after each.
"""

from __future__ import annotations

import array
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, final

from flatwater import errors, limits
from flatwater.proof.leaks import census, cycles, figures, findings, holders, target
from flatwater.proof.leaks.collecting import Collecting, settle
from flatwater.proof.leaks.evidence import DESCRIPTOR, GARBAGE, TASK, THREAD, Evidence, Suspects, suspects_in
from flatwater.proof.leaks.report import Cycles, LeakReport
from flatwater.proof.leaks.rounds import Rounds, name_of
from flatwater.proof.leaks.steady import Steady

ROUNDS = limits.LEAK_ROUNDS
ROUNDS_MIN = 3  # fewer cannot tell growth from chance
ROUNDS_MAX = limits.LEAK_ROUNDS_MAX
WARMUP = limits.LEAK_WARMUP
WARMUP_MAX = limits.LEAK_WARMUP_MAX
HOLDERS_ROUNDS = 3  # at the end, in which the holders of what grew are told apart; 3 us a reachable object each
LARGE_OBJECTS = limits.LEAK_LARGE_OBJECTS
EVEN_FACTOR = 2  # between the least and the most of what grows evenly,
EVEN_OBJECTS = 4  # and so much beside: what the looks themselves leave for a round
# A test runner keeps what is logged, printed and warned; that is no leak of the test.
IGNORED = ("_pytest.logging.", "_pytest.capture.", "_pytest.recwarn.")

_busy = threading.Lock()


def find_leaks(
    action: Callable[[], Any] | str,
    *,
    undo: Callable[[], Any] | str | None = None,
    rounds: int = ROUNDS,
    warmup: int = WARMUP,
    ignore: Iterable[str] = (),
    cycles: bool | None = None,
) -> LeakReport:
    """Run `action` (and `undo`, the way back) again and again, and report what grew on every round.

    It runs in this process: what counts is growth from round to round, not what the process held before. Reported are
    containers and functools caches that get longer, objects by type that stay, memory below Python, threads, tasks and
    descriptors that stay; each with the shortest way from a name to it. A cache that fills once, an import on demand, or
    a bounded cache that is full does not grow on every round.

    Cycles that only the garbage collector frees are always told (`LeakReport.cycles`). They count as a leak where the
    collector is off, or where they take 1 MiB a round or more, because memory is held until the collector comes.

    Args:
        action: a function or coroutine function without arguments, or "module:function" or "file.py::function". Coroutines
            run in one event loop for all rounds, so that tasks that stay are seen.
        undo: takes back what the action did; likewise.
        rounds: to be counted. The action runs `warmup + rounds` times, and `rounds` more if something may have grown; 3
            more, if by 5,000 objects a round and evenly, because each look at them takes long.
        warmup: rounds before that. Raise it to the size of a bounded cache that has to be full first.
        ignore: leaks to leave out: beginnings of their name, or of a step on the way to them, such as "app.CACHE".
        cycles: True to count all cycles as leaks, False for none.

    Raises:
        UsageError: the action cannot be called or found; figures make no sense; another hunt runs in this process.
        ActionFailed: the action or its undo raised; its error is the cause. The hunt ends there.

    Holds about 8 MB for each 100,000 objects of the process while it looks. One hunt at a time in a process. Other threads
    may run, and what they do is counted as well. The collector is left as it was found.

    In a process as large as a test runner it takes a minute, so this example runs in one of its own:

    >>> kept = []
    >>> report = find_leaks(lambda: kept.append({"n": len(kept)}), rounds=3)  # doctest: +SKIP
    >>> report.holds, report.leaks[0].kind, report.leaks[0].count_per_round  # doctest: +SKIP
    (False, 'container', 1)
    """
    _check_count(rounds, "rounds", ROUNDS_MIN, ROUNDS_MAX)
    _check_count(warmup, "warmup", 0, WARMUP_MAX)
    ignored = _names(ignore)
    run = target.resolve(action) if isinstance(action, str) else action
    back = target.resolve(undo) if isinstance(undo, str) else undo
    if not _busy.acquire(blocking=False):
        raise errors.UsageError(
            "another find_leaks runs in this process, and each would see what the other does.",
            hint="Run one after the other, or each in a process of its own: flatwater leaks.",
        )
    try:
        with Collecting() as collecting, Rounds(run, back) as trips:
            functions = (run,) if back is None else (run, back)
            hunt = _Hunt(trips, collecting, rounds, warmup, ignored, functions)
            try:
                return hunt.run(cycles_count=cycles)
            finally:
                hunt.clear()
    finally:
        _busy.release()


@final
class _Hunt:
    # An error that the action keeps leads, through its traceback, to the functions below which the action ran, and would
    # keep their variables alive. So what is large stands here, and is let go of at the end.
    __slots__ = (
        "_after", "_before", "_collecting", "_evidence", "_first", "_functions", "_garbage", "_grown", "_held", "_ignored",
        "_last", "_ran", "_rounds", "_trips", "_warmup",
    )  # fmt: skip

    def __init__(
        self,
        trips: Rounds,
        collecting: Collecting,
        rounds: int,
        warmup: int,
        ignored: tuple[str, ...],
        functions: tuple[Callable[[], Any], ...],
    ) -> None:
        self._trips, self._collecting, self._functions = trips, collecting, functions
        self._rounds, self._warmup, self._ignored = rounds, warmup, ignored
        self._ran = 0
        self._garbage = 0
        self._first: census.Census | None = None
        self._last: census.Census | None = None
        self._evidence: Evidence | None = None
        self._held: holders.Holders | None = None
        # What each round added, without what this instrument itself takes and returns between rounds.
        self._before, self._after, self._grown = (array.array("q", [0] * len(figures.SIZES)) for _ in range(3))

    def run(self, *, cycles_count: bool | None) -> LeakReport:
        for _ in range(self._warmup):
            self._round()
        self._flat()  # imports on demand of our own
        self._first = census.take()
        flat = Steady(self._flat())
        settle()  # which empties Python's lists of free objects: they count as blocks
        blocks = -sys.getallocatedblocks()
        for index in range(self._rounds):
            self._round()
            if index == self._rounds - 1:
                blocks += sys.getallocatedblocks()
            flat.look(self._flat())
        self._last = census.take()
        if self._trips.loop is not None:
            blocks = 0  # running a coroutine costs CPython 3.11 a block for good
        suspects = suspects_in(self._first, self._last, flat, self._rounds, blocks=blocks)
        is_complete = self._first.complete and self._last.complete
        found = self._confirm(suspects) if suspects else findings.Found([], [])
        looked_at = self._evidence.rounds if self._evidence and found.leaks else self._rounds
        self.clear()
        report = LeakReport(
            name_of(self._functions[0]),
            found.leaks,
            self._cycles(flat),
            looked_at,
            self._warmup,
            self._ran,
            found.notes,
        )
        findings.add_cycles(report, count=cycles_count)
        if not is_complete:
            report.notes.append(f"only {census.OBJECTS_MAX:,} objects were looked at: there are more")
        return report

    def clear(self) -> None:
        """Let go of all figures: see `__slots__`."""
        self._first = self._last = self._evidence = self._held = None

    def _round(self) -> None:
        self._collecting.start_round()
        self._ran += 1
        figures.read_sizes(self._before)
        self._trips.run()
        freed = self._collecting.finish_round()
        figures.read_sizes(self._after)
        self._garbage += freed
        for index in range(len(figures.SIZES)):
            self._grown[index] += self._after[index] - self._before[index]

    def _cycles(self, flat: Steady[str]) -> Cycles | None:
        if GARBAGE not in flat:
            return None
        self._ran += 1
        return cycles.look(self._trips.run, flat.per_round(GARBAGE))

    def _confirm(self, suspects: Suspects) -> findings.Found:
        """The rounds again, with a look at what is suspected after each; fewer of them where much grows evenly."""
        assert self._first is not None
        assert self._last is not None
        self._evidence = Evidence(self._last, self._flat(), suspects)
        grew = self._last.objects - self._first.objects
        left = self._rounds
        if grew >= LARGE_OBJECTS * self._rounds and left >= 2 * HOLDERS_ROUNDS:
            self._look_again(HOLDERS_ROUNDS, held=HOLDERS_ROUNDS - 1)
            left = 0 if self._is_even() else left - HOLDERS_ROUNDS
        if left:
            self._look_again(left, held=HOLDERS_ROUNDS)
        assert self._held is not None  # the last rounds look at holders
        return findings.build(self._evidence, self._held, self._ignored)

    def _look_again(self, rounds: int, *, held: int) -> None:
        """In the last `held` of so many rounds, at holders too."""
        evidence = self._evidence
        assert evidence is not None
        evidence.held_counts = evidence.held_bytes = None
        first_held = rounds - held  # at least 0: see ROUNDS_MIN
        if not first_held:
            evidence.look_at_holders(self._holders(), census.walk()[0])
        for index in range(rounds):
            if index == rounds - 1:
                evidence.remember()
            settle()  # or the round's own collection would give back what the censuses took
            self._held = None  # it keeps every object alive
            self._round()
            evidence.look_at_figures(self._flat())
            self._look(with_holders=index >= first_held - 1)

    def _look(self, *, with_holders: bool) -> None:
        assert self._evidence is not None
        objects, complete = census.walk()  # gone when this returns: they keep every object alive
        self._evidence.look(census.take(self._suspected(objects), complete=complete))
        if with_holders:
            self._held = self._holders()
            self._evidence.look_at_holders(self._held, objects)

    def _suspected(self, objects: list[object]) -> list[object]:
        """Only what is suspected need be counted; everything, where its bytes are set against those of the process."""
        assert self._evidence is not None
        suspects = self._evidence.suspects
        if figures.MALLOC in suspects.flat or suspects.resident_bytes:
            return objects
        kinds = {kind for kind in set(map(type, objects)) if census.type_name(kind) in suspects.types}
        keys = suspects.containers | suspects.caches
        return [obj for obj in objects if type(obj) in kinds or id(obj) in keys]

    def _is_even(self) -> bool:
        """Whether all that still grows grew by about the same each time, much of it: more looks would not tell more."""
        assert self._evidence is not None
        counts, sizes = self._evidence.counts, self._evidence.sizes
        lengths, fills = self._evidence.lengths, self._evidence.fills
        growths = [steady.growths(name) for steady in (counts, sizes) for name in steady.grown()]
        growths += [steady.growths(key) for steady in (lengths, fills) for key in steady.grown()]
        is_large = any(counts.per_round(name) >= LARGE_OBJECTS for name in counts.grown())
        return is_large and all(max(growth) <= EVEN_FACTOR * min(growth) + EVEN_OBJECTS for growth in growths)

    def _flat(self) -> dict[str, int]:
        """All that is no object, by name; sizes as growth since the first round."""
        found = {GARBAGE: self._garbage, **dict(zip(figures.SIZES, self._grown, strict=True))}
        found.update({f"{THREAD}{name}": count for name, count in figures.threads().items()})
        kinds = figures.descriptors_by_kind(figures.descriptors())
        found.update({f"{DESCRIPTOR}{name}": count for name, count in kinds.items()})
        for task in holders.tasks():
            name = f"{TASK}{holders.task_work(task)}"
            found[name] = found.get(name, 0) + 1
        return found

    def _holders(self) -> holders.Holders:
        assert self._evidence is not None
        evidence = self._evidence
        return holders.Holders(evidence.growing(), self._functions, self._trips.loop, evidence.types())


def _check_count(value: object, what: str, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise errors.UsageError(
            f"{what}={value!r} is no number of rounds.", hint=f"Write a whole number from {least:,} to {most:,}."
        )


def _names(ignore: Iterable[str]) -> tuple[str, ...]:
    names = (ignore,) if isinstance(ignore, str) else tuple(ignore)
    if not all(isinstance(name, str) and name for name in names):
        raise errors.UsageError(f"ignore={ignore!r}: it holds beginnings of names.", hint="Write ignore=['app.CACHE'].")
    return (*IGNORED, *names)
