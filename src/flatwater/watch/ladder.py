"""The ladder: what is done under pressure, one step at a time, and whether each helped.

Covers:     shedders, collect and trim, close the gate, evidence, drain; their order, pauses, and effect in bytes.
Not here:   when there is pressure (`watch.levels`), what is in the evidence (`watch.evidence`).
Holds:      five steps and the last one taken.

A step is followed by a pause and a second look; only if memory is still above the leaving threshold comes the next one.
No step is repeated before its cool-down, so that a program at the edge does not spend its time on shedding. The exception
is shedding at critical: shedders that gave are asked again beside the climb, at most every 50 ms, when memory has grown
since, because growth may be faster than one helping.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, SupportsInt, final

from flatwater import errors, limits, units
from flatwater.watch.levels import RANK, Level

HELPED_BYTES_MIN = 256 * units.KIB  # less than that is the process's own noise


class Gate(Protocol):
    """What `budget.gate` offers; sources honour it."""

    @property
    def is_open(self) -> bool:
        """Whether intake goes on."""

    def pause(self, reason: str) -> object:
        """Stop intake."""

    def resume(self) -> object:
        """Let intake go on."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a step may look at.

    Attributes:
        level: the present level.
        seen_bytes: what the operating system saw.
        over_bytes: how much of it must go for the level to be normal, and stay so for a while; at least 1.
        reason: a sentence with the numbers.
    """

    level: Level
    seen_bytes: int
    over_bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step said it did.

    Attributes:
        words: a half-sentence.
        said_bytes: what it claims to have freed; -1 where it cannot know.
        idle: it had nothing to do: no pause is needed before the next step.
        frees: whether giving memory back is its purpose.
    """

    words: str
    said_bytes: int = -1
    idle: bool = False
    frees: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One rung.

    Attributes:
        name: for logs.
        take: does it.
        level: the least level at which it is taken.
        settle_s: pause before the second look.
        cooldown_s: before it is taken again.
        once: at most once until the level is normal again.
        again_s: at critical, its cool-down after it gave bytes, if that is shorter.
        beside: at critical, it is taken again beside the climb when memory has grown since it gave bytes.
    """

    name: str
    take: Callable[[Scene], Outcome]
    level: Level = "high"
    settle_s: float = 0.1
    cooldown_s: float = 1.0
    once: bool = False
    again_s: float = math.inf
    beside: bool = False


@dataclass(slots=True)
class Taken:
    """A step that was taken, with what the operating system saw; bytes.

    Attributes:
        step: its name.
        at_s: when, on the watcher's clock.
        before: seen before it.
        after: seen right after it.
        settled: seen at the second look; -1 until then.
        outcome: what the step said.
    """

    step: str
    at_s: float
    before: int
    after: int
    outcome: Outcome
    settled: int = -1

    @property
    def effect_bytes(self) -> int:
        """How much less the operating system saw: at the second look, or right after if there was more to see then."""
        return self.before - (min(self.after, self.settled) if self.settled >= 0 else self.after)

    @property
    def helped(self) -> bool:
        """Whether that is more than noise."""
        return self.effect_bytes >= HELPED_BYTES_MIN

    @property
    def words(self) -> str:
        """A sentence with the effect; says so when there was none, as soon as that is known."""
        effect = self.effect_bytes
        seen = f"{units.format_bytes(effect)} less" if effect >= 0 else f"{units.format_bytes(-effect)} more"
        judged = self.outcome.frees and (self.settled >= 0 or self.outcome.idle)
        verdict = ": it did not help" if judged and not self.helped else ""
        return f"{self.step}: {self.outcome.words}; the operating system saw {seen}{verdict}"


@final
class Ladder:
    """Which step is next, and when. Not thread-safe: one thread climbs it."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = list(steps)
        self._next = 0
        self._due_s = 0.0
        self._taken_s: dict[str, float] = {}
        self._done: set[str] = set()
        self._gave: set[str] = set()  # steps that gave bytes the last time
        self._giving: Step | None = None  # of these, the one that may be taken again beside the climb
        self._giving_after = 0  # bytes seen then: what it gave is used up once there are more

    def due(self, now_s: float, level: Level, seen_bytes: int = 0) -> Step | None:
        """The step to take now, if any."""
        if level == "normal":
            return None
        giving = self._giving
        # Growth since then, not size, asks for more: what an allocator kept is taken before it grows again.
        grown = seen_bytes >= self._giving_after + HELPED_BYTES_MIN
        if giving is not None and level == "critical" and grown and self._is_cool(giving, now_s, level):
            return giving
        if now_s < self._due_s:
            return None
        while self._next < len(self.steps):
            step = self.steps[self._next]
            if RANK[step.level] > RANK[level]:
                # The rest of the ladder is for a higher level. The first steps come again after a rest, unless it rises.
                return self._rest(now_s, level)
            cool = self._is_cool(step, now_s, level)
            if step.name not in self._done and cool:
                return step
            # At high there is time to wait for the gentler step, so that flapping does not climb; at critical only for
            # the first one.
            if step.name not in self._done and (level == "high" or self._next == 0):
                return None
            self._next += 1
        return self._rest(now_s, level)

    def _is_cool(self, step: Step, now_s: float, level: Level) -> bool:
        soon = level == "critical" and step.name in self._gave
        pause_s = min(step.again_s, step.cooldown_s) if soon else step.cooldown_s
        return now_s >= self._taken_s.get(step.name, -math.inf) + pause_s

    def _rest(self, now_s: float, level: Level) -> Step | None:
        first = self.steps[0].name if self.steps else ""
        rested = now_s >= self._taken_s.get(first, -math.inf) + limits.WATCH_REST_S
        if level == "critical" and not rested:
            # What gave is worth more than rest: shedders may have more, and what they gave may lie in the allocator.
            return next((step for step in self.steps if self._is_worth_again(step, now_s)), None)
        if not rested:
            return None
        self._next = 0
        step = self.steps[0] if self.steps else None
        return step if step is not None and RANK[step.level] <= RANK[level] else None

    def _is_worth_again(self, step: Step, now_s: float) -> bool:
        # Without growth shedders keep their full cool-down, in which trimming shows what they have really given.
        pause_s = step.cooldown_s if step.beside else min(step.again_s, step.cooldown_s)
        return step.name in self._gave and not step.once and now_s >= self._taken_s[step.name] + pause_s

    def took(self, step: Step, now_s: float, outcome: Outcome, *, before: int = 0, after: int = 0) -> None:
        """Note that `step` was taken, and the bytes seen before and after; the pause and the cool-down begin."""
        index = self.steps.index(step)
        self._taken_s[step.name] = now_s
        gave, helped = outcome.said_bytes >= HELPED_BYTES_MIN, before - after >= HELPED_BYTES_MIN
        beside_the_climb = step is self._giving and index < self._next
        (self._gave.add if gave else self._gave.discard)(step.name)
        if step.beside:
            self._giving, self._giving_after = (step if gave else None), after
        if step.once:
            self._done.add(step.name)
        if beside_the_climb:
            return  # which goes on as it was
        # What was given and not seen to go is kept by the allocator: the next step, trimming, is not waited for.
        self._due_s = now_s if outcome.idle or (gave and not helped) else now_s + step.settle_s
        self._next = index + 1

    def hurry(self, level: Level) -> None:
        """The level rose: the pause after the last step ends. At critical, shedders are not spared for their cool-down."""
        self._due_s = 0.0
        if level == "critical":  # which cannot be entered more than a few times a second
            for step in self.steps:
                if step.beside:
                    self._taken_s.pop(step.name, None)
                    self._next = min(self._next, self.steps.index(step))

    def reset(self) -> None:
        """The level is normal: the next climb begins at the first step. Cool-downs go on."""
        self._next = 0
        self._due_s = 0.0
        self._done.clear()


def shed_step(shed: Callable[[int], int]) -> Step:
    """Ask caches and pools to give back what is over."""

    def take(scene: Scene) -> Outcome:
        freed = int(shed(scene.over_bytes))
        asked = units.format_bytes(scene.over_bytes)
        return Outcome(f"asked for {asked}, shedders gave {units.format_bytes(freed)}", freed, idle=freed <= 0)

    return Step("shed", take, settle_s=0.1, cooldown_s=1.0, again_s=limits.WATCH_SHED_AGAIN_S, beside=True)


def collect_step(trim: Callable[[], SupportsInt], collect: Callable[[], int] = gc.collect) -> Step:
    """Collect garbage cycles, and have the C library give free pages back."""

    def take(_scene: Scene) -> Outcome:
        found = collect()
        returned = int(trim())
        return Outcome(f"collected {found} objects, trim returned {units.format_bytes(returned)}", returned)

    return Step("collect and trim", take, settle_s=0.5, cooldown_s=5.0, again_s=limits.WATCH_TRIM_AGAIN_S)


def gate_step(gate: Gate, closed: Callable[[], None]) -> Step:
    """Stop intake; `closed` is told if it was this step that closed the gate."""

    def take(scene: Scene) -> Outcome:
        if not gate.is_open:
            return Outcome("the gate was closed already", idle=True)
        gate.pause(scene.reason)
        closed()
        return Outcome("intake is paused")

    # Work already taken in must be given time to finish before anything harsher.
    return Step("close the gate", take, settle_s=1.0, cooldown_s=1.0)


def evidence_step(write: Callable[[Scene], str]) -> Step:
    """Write down what there is to see, while there still is a process to write it."""

    def take(scene: Scene) -> Outcome:
        return Outcome(f"written to {write(scene)}", idle=True, frees=False)

    return Step("evidence", take, level="critical", settle_s=0.0, cooldown_s=60.0, once=True)


def drain_step(drain: Callable[[], object]) -> Step:
    """Call the user's hook: finish what is at hand, and make room for a fresh process.

    Raises:
        UsageError: it cannot be called, or would have to be awaited.
    """
    errors.check_function(drain, what="drain", hint="Pass a function without arguments.")

    def take(_scene: Scene) -> Outcome:
        drain()
        return Outcome("the drain hook was called")

    return Step("drain", take, level="critical", settle_s=1.0, cooldown_s=60.0, once=True)
