"""Run anyone's program, its whole process tree, under a memory budget, and tell how it went.

Covers:     the kernel limit, sampling, suspect lines, passing signals on, leftovers, the figures at the end.
Not here:   printing and reports (`cli`), the limit itself (`worker.limit`), the command's life (`worker.command`).
Holds:      a timeline, the tree's open probes, the suspect lines; see `Run.bytes_max`.

The loop sleeps in `sigtimedwait`, so that a signal is an event like any other and tells who sent it: what the terminal
sent has reached the program already, what somebody sent to us alone is passed on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, final

from flatwater import errors, limits, units
from flatwater.budget.detect import physical_bytes
from flatwater.meter.pattern import last_climb, pattern_of, until_top
from flatwater.meter.probe import RUN_VARIABLE
from flatwater.meter.suspects import Suspects
from flatwater.meter.tree import MARK_SLACK_BYTES, Tree
from flatwater.watch.result import KILLED_EXIT_CODE, RunResult
from flatwater.worker.command import Command, Exit, own_environment
from flatwater.worker.limit import LimitGroup, make_limit

if TYPE_CHECKING:
    from flatwater.meter.profile import Profile
    from flatwater.watch.forecasting import Forecast

_WITHOUT_GROWTH = frozenset(("flat", "sawtooth", "plateau"))
_SHARED_BYTES_MIN = 4 * units.MIB  # worth a word
_DESCRIPTORS = limits.RUN_PROCESSES_MAX + 256  # one for each process, and those of everything else
_REFUSED_SHARE = 0.5  # of the budget: a program that ends in error above it was most likely refused memory
_STOOD_S = 1.0  # at the limit before the end: worth a word
_SI_KERNEL = 0x80  # siginfo's si_code of a signal that the terminal driver sent
_FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH")
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
_CAN_WAIT = hasattr(signal, "sigtimedwait")
_SIGNALS = frozenset(getattr(signal, name) for name in (*_FORWARDED, "SIGIO") if hasattr(signal, name))
_POLL_PERIOD_S = 0.1  # of what is not worth a look every 10 ms


@final
class Run:
    """One supervised program.

    Args:
        argv: program and arguments.
        budget_bytes: its budget; 0 only measures.
        limit_kind: "auto", "cgroup", "rlimit_data" or "none" (then it is watched, and killed when it passes the budget).
        suspects: whether to look for the lines of Python programs.
        profile_path: where to write who allocated a Python program's peak; empty for none.
        linger_s: how long what the program leaves behind is still measured.
        grace_s: how long a program may take to end after a signal that asks it to.
        on_tick: called about ten times a second with the run, for a live line.

    Raises:
        CommandNotStarted: the command does not exist or cannot be run.
        BrokenError, UsageError: the limit that was asked for cannot be had.

    Call it from the main thread: it waits for signals.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        budget_bytes: int = 0,
        limit_kind: str = "auto",
        suspects: bool = True,
        profile_path: str = "",
        linger_s: float = limits.RUN_LINGER_S,
        grace_s: float = limits.RUN_GRACE_S,
        on_tick: Callable[[Run], None] | None = None,
    ) -> None:
        self.result = RunResult(list(argv), budget_bytes=budget_bytes)
        self.timeline = self.result.timeline
        self.linger_s = linger_s
        self.grace_s = grace_s
        self._limit_kind = limit_kind
        self._profile_path = profile_path
        self._profile = _new_profile() if profile_path else None
        self._on_tick = on_tick
        self._suspects = Suspects() if (suspects or profile_path) and sys.platform == "linux" else None
        if self._suspects is not None and self._suspects.trouble:
            self.result.notes.append(self._suspects.trouble)
        self._group: LimitGroup | None = None
        self._signals: frozenset[signal.Signals] = frozenset()
        self._begin = 0.0
        self._kill_due = float("inf")
        self._asked_to_end = 0
        self._watched_kill = False
        self._look_due = 0.0  # of the suspects
        self._seen = 0  # processes when they were looked at

    def bytes_max(self) -> int:
        """The most this run itself holds, in bytes, beside a bare interpreter."""
        total = 0
        total += self.timeline.bytes_max()  # the history
        total += limits.RUN_PROCESSES_MAX * 512  # one member and probe a process
        total += limits.RUN_SUSPECTS_KEPT_MAX * 2048  # lines with one stack each
        return total

    def run(self) -> RunResult:
        """Start the program, watch it until it and what it left behind have ended, and tell."""
        result = self.result
        environment = {**own_environment(), RUN_VARIABLE: "1"}
        if self._suspects is not None:
            environment = self._suspects.environment(environment)
        if self._profile is not None:
            environment = self._profile.environment(environment)
        try:
            procs_file, data_limit = self._make_limit()
            command = Command(result.argv, env=environment, procs_file=procs_file, data_limit_bytes=data_limit)
            with command, _descriptors_for_all():
                tree = Tree(command.root_pid, include_root=sys.platform != "linux")
                ended = self._watch(command, tree)
                if command.lost:
                    self._end_what_is_left(tree)
                self._leftovers(command, tree)
                self._figures(ended, tree)
            if self._profile is not None:
                try:
                    result.profile = self._profile.collect(self._profile_path)
                    if result.profile.startswith(self._profile_path):
                        result.profile_path = os.path.abspath(self._profile_path)
                except errors.BrokenError as error:  # the figures of an hour's run are worth more than its profile
                    result.profile = result.profile_trouble = str(error)
                result.notes.append("the figures of this run include the profile's recorder")
        finally:
            for temporary in (self._suspects, self._profile):
                if temporary is not None:
                    temporary.close()
            if self._group is not None and not result.left_behind:
                self._group.close()
        return result

    def _make_limit(self) -> tuple[str, int]:
        """`(procs_file, data_limit)` for the command; sets what the result says about the limit."""
        result = self.result
        if not result.budget_bytes:
            return "", 0
        memory = physical_bytes()
        if memory and result.budget_bytes > memory:
            result.notes.append(
                f"the budget is larger than this machine's memory of {units.format_bytes(memory)}: that ends first"
            )
        if self._limit_kind == "none":
            result.limit_kind = "watched"
            result.limit_note = (
                "no kernel limit was asked for: the tree is killed when its sampled size passes the budget"
            )
            return "", 0
        self._group = make_limit(result.budget_bytes, kind=self._limit_kind, name="run")
        result.limit_kind = self._group.kind if self._group.kind != "none" else "watched"
        result.limit_note = self._group.note
        return self._group.procs_file(), result.budget_bytes if self._group.kind == "rlimit_data" else 0

    def _watch(self, command: Command, tree: Tree) -> Exit:
        """Sample and pass signals on until the program and its tree have ended, or `linger_s` after the program."""
        self._begin = due = time.monotonic()
        tick_due = self._begin
        linger_due = float("inf")
        self._signals = _wanted_signals()
        blocked = _block_signals(self._signals)
        command.announce(signal.SIGIO if _CAN_WAIT else 0)
        poll_due = 0.0
        try:
            while True:
                now = time.monotonic()
                if now >= poll_due:
                    poll_due = now + (_POLL_PERIOD_S if _CAN_WAIT else 0.0)  # SIGIO comes first where there is one
                    ended = command.poll()
                    if ended is not None:
                        if linger_due == float("inf"):
                            self.result.wall_s = now - self._begin
                            linger_due = now + self.linger_s
                        if command.empty or now >= linger_due:
                            return ended
                self._sample(command, tree, now)
                if now >= tick_due:
                    tick_due = now + 0.1
                    if self._on_tick is not None:
                        self._on_tick(self)
                due = max(due + limits.SAMPLE_PERIOD_S, now)
                if self._wait(command, due):
                    poll_due = 0.0
        finally:
            command.announce(0)
            _restore_signals(self._signals, blocked)

    def _sample(self, command: Command, tree: Tree, now: float) -> None:
        rss, anon = tree.sample()
        if rss:
            self.timeline.add(now - self._begin, rss, anon)
        suspects = self._suspects
        if suspects is not None and (anon >= suspects.due_bytes or now >= self._look_due or tree.seen != self._seen):
            self._seen = tree.seen
            self._look_due = now + _POLL_PERIOD_S
            suspects.look(tree.members.values())
        held = anon + tree.shared  # the kernel cannot take back either
        if now >= self._kill_due or held > self.result.budget_bytes:
            self._enforce(command, held, now)

    def _enforce(self, command: Command, held: int, now: float) -> None:
        """What the kernel does not do: end a tree that must end, or that passes a budget no cgroup holds."""
        result = self.result
        if now >= self._kill_due:
            self._kill_due = float("inf")
            result.notes.append(f"it did not end within {units.format_duration(self.grace_s)} and was killed")
            command.kill_tree()
        if not result.budget_bytes or self._watched_kill or (self._group is not None and self._group.scope == "tree"):
            return
        if held > result.budget_bytes:
            self._watched_kill = True
            command.kill_tree()

    def _wait(self, command: Command, due: float) -> bool:
        """Sleep until `due`, or until a signal comes: True for the command's own, all others are passed on to it."""
        left = max(0.0005, due - time.monotonic())
        if not _CAN_WAIT:
            time.sleep(left)
            return True
        info = signal.sigtimedwait(self._signals, left)
        if info is None or info.si_signo not in self._signals:  # stopped and continued, it tells of no signal at all
            return False
        number = info.si_signo
        if number == signal.SIGIO:
            return True
        if info.si_code != _SI_KERNEL:
            command.send_signal(number)
        if signal.Signals(number).name in _ENDING:
            self._asked_to_end += 1
            if self._asked_to_end == 1 and number == signal.SIGINT:
                return False  # Ctrl-C: the program decides; a second one means it
            if self._asked_to_end >= 3:  # noqa: PLR2004 - the third time is in earnest
                command.kill_tree()
            elif self._kill_due == float("inf"):
                self._kill_due = time.monotonic() + self.grace_s
        return False

    def _end_what_is_left(self, tree: Tree) -> None:
        """The launcher was killed, so nobody reaps or kills its tree any more: end what is known of it."""
        pids = {*tree.members, *(self._group.pids() if self._group is not None else ())}
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self.result.notes.append(
            f"the launcher between flatwater and the program was killed: what was left ({_counted(len(pids))}) was ended, "
            "and the figures end there"
        )

    def _leftovers(self, command: Command, tree: Tree) -> None:
        if command.empty:
            return
        tree.sample(discover=True)
        result = self.result
        result.left_behind = sorted(tree.members)
        command.detach()
        pids = ", ".join(map(str, result.left_behind[:8]))
        limited = ", still under the limit" if self._group is not None else ""
        result.notes.append(
            f"left behind, and still running{limited}: {_counted(len(result.left_behind))}, pid {pids}; "
            f"measured for {units.format_duration(self.linger_s)} more and left alone"
        )

    def _figures(self, ended: Exit, tree: Tree) -> None:
        result = self.result
        timeline = self.timeline
        result.exit_code, result.signal, result.cpu_s = ended.exit_code, ended.signal, ended.cpu_s
        result.processes = max(tree.seen, 1)
        result.samples = timeline.samples
        result.peak_anon = timeline.peak_anon
        result.pattern = timeline.pattern
        result.kills = self._group.kills() if self._group is not None else 0
        if self._watched_kill:
            result.kills = max(result.kills, 1)
        result.killed = result.kills > 0
        if result.killed:
            # Also when the program itself outlived the kill of a child: a tree that did not stay inside must not look well.
            result.exit_code = KILLED_EXIT_CODE
            # The way it came to its limit; how long it stood there, before the kernel gave up, is no plateau of its own.
            result.pattern = pattern_of(until_top(timeline.points()))
        self._peak(ended, tree)
        self._refusal(ended)
        if not result.holds:
            self._last_climb()
        if result.budget_bytes:
            result.forecast = self._forecast()
        if self._suspects is not None:
            result.suspects = self._suspects.top()
            result.suspects_growth = self._suspects.growth_bytes
        if tree.unsampled:
            result.notes.append(f"not the whole tree was sampled, so it holds more than was seen: {tree.unsampled}")
        if tree.shared_peak >= _SHARED_BYTES_MIN:
            size = units.format_bytes(tree.shared_peak)
            result.notes.append(f"at least {size} of shared memory came on top of what is called anonymous here")
        tree.close()

    def _forecast(self) -> Forecast:
        """When the budget is spent; of a program that was ended or refused by it, that it was."""
        from flatwater.watch.forecasting import forecast, lasts, spent

        result = self.result
        size = units.format_bytes(result.budget_bytes)
        if result.holds and result.pattern.name in _WITHOUT_GROWTH:  # the ramp of a start is no growth that goes on
            return lasts(f"no growth: the budget of {size} lasts")
        if result.holds:
            return forecast(self.timeline.points(), result.budget_bytes)
        # The last sample lies below the limit that ended the growth: taken for a plateau, it would say "no growth".
        took = units.format_duration(result.wall_s)
        return spent(f"the budget of {size} was spent within {took}", result.growth_before_end)

    def _last_climb(self) -> None:
        """How a program that its limit ended or refused came there, and how long it stood there."""
        self.result.growth_before_end, stood_s = last_climb(self.timeline.points())
        if stood_s >= _STOOD_S:
            self.result.notes.append(
                f"it stood at its limit for {units.format_duration(stood_s)}: under a limit the kernel first takes file pages back, "
                "which can make a program very slow"
            )

    def _peak(self, ended: Exit, tree: Tree) -> None:
        """Exact for one process that outgrew the launcher; otherwise the interval that the truth lies in."""
        result = self.result
        single = ended.single and tree.seen <= 1
        was_reset = tree.mark_was_reset or (single and tree.sum_peak > ended.peak_rss + MARK_SLACK_BYTES)
        if was_reset:
            result.notes.append(
                "a process reset its own high-water mark: spikes of less than 10 ms may be missing in the peak"
            )
        if single and ended.peak_rss > ended.floor_bytes and not was_reset:
            result.peak_kind = "exact"
            result.peak_rss = result.peak_rss_upper = ended.peak_rss
            return
        result.peak_kind = "interval"
        if not tree.sum_peak:  # it ended before the first sample: all that is known is an upper end
            result.peak_rss = result.peak_rss_upper = max(ended.peak_rss, 0)
            return
        lower = max(tree.sum_peak, ended.peak_rss if ended.peak_rss > ended.floor_bytes else 0)
        result.peak_rss = lower
        result.peak_rss_upper = max(tree.peaks_sum, ended.peak_rss, lower)

    def _refusal(self, ended: Exit) -> None:
        """RLIMIT_DATA makes an allocation fail; the program then usually ends with an error of its own."""
        result = self.result
        if result.limit_kind != "rlimit_data" or ended.exit_code == 0 or result.killed:
            return
        result.refused = result.peak_anon >= _REFUSED_SHARE * result.budget_bytes
        if not result.refused:
            result.notes.append(
                "under RLIMIT_DATA an allocation that would pass the budget fails inside the program: look for its own error"
            )


def _counted(processes: int) -> str:
    return "1 process" if processes == 1 else f"{processes} processes"


def _new_profile() -> Profile:
    from flatwater.meter.profile import Profile

    return Profile()


def _wanted_signals() -> frozenset[signal.Signals]:
    """Those that we wait for: without what we were started to ignore (nohup, a background job), as the program was too."""
    return frozenset(number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN)


def _block_signals(numbers: frozenset[signal.Signals]) -> object:
    if not _CAN_WAIT:
        return None
    return signal.pthread_sigmask(signal.SIG_BLOCK, numbers)


def _restore_signals(numbers: frozenset[signal.Signals], blocked: object) -> None:
    if isinstance(blocked, set):
        while signal.sigtimedwait(numbers, 0) is not None:
            pass  # the program has had it; it must not end us now
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@contextlib.contextmanager
def _descriptors_for_all() -> Iterator[None]:
    """One descriptor for each process of a large tree, where the hard limit allows; the program keeps its own limit."""
    if sys.platform != "linux":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
