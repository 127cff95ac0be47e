"""proof.points: one point, of functions and of commands in any language; whose fault it is where there is none."""

from __future__ import annotations

import functools
import shutil
import sys
import threading

import pytest

from flatwater import errors, limits
from flatwater.proof.points import Measurer, Point, ScenarioFailed, ScenarioUnfit, merged
from flatwater.proof.scenarios import scenario_of
from flatwater.worker.limit import make_limit

MIB = 1 << 20


def holds(n):
    return bytearray(n * 1000)


class Loader:
    def __init__(self, size):
        self.size = size

    def load(self, n):
        return bytearray(n * self.size)

    def __call__(self, n):
        return bytearray(n * self.size)


def point_of(scenario, n=40_000, *, repeat=1, setup=None, **options):
    making = None if setup is None else scenario_of(setup, what="setup")
    return Measurer(scenario_of(scenario), setup=making, **options).point(n, repeat)


SIZE = 1000
FUNCTIONS = {
    "function of a test module": holds,
    "closure": lambda n: bytearray(n * SIZE),
    "partial": functools.partial(lambda size, n: bytearray(n * size), 1000),
    "method": Loader(1000).load,
    "object": Loader(1000),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_that_are_given(name):
    """Whatever can be called is measured in a fresh process: 40,000 items of 1,000 bytes are 38 MiB."""
    point = point_of(FUNCTIONS[name])
    assert 37 * MIB < point.grown_bytes < 41 * MIB
    assert point.peak_bytes == point.upper_bytes == point.base_bytes + point.grown_bytes
    assert (point.n, point.runs, point.spread_bytes) == (40_000, 1, 0)


COMMANDS = {
    "python": [sys.executable, "-S", "-c", "import sys; bytearray(int(sys.argv[1]) * 1000)", "{n}"],
    "python -m": [sys.executable, "-m", "timeit", "-n1", "-r1", "bytearray({n} * 1000)"],
    "sh": ["sh", "-c", f"{sys.executable} -S -c 'bytearray({{n}} * 1000)'; true"],
    "perl": ["perl", "-e", "my $x = 'x' x ({n} * 1000)"],
    "node": ["node", "-e", "const held = Buffer.alloc({n} * 1000, 1)"],
    "words": [sys.executable, "-S", "-c", "import sys; assert sys.argv[1] == 'a ü {m} $n'; bytearray({n} * ({n} // 40))", "a ü {m} $n"],
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_in_any_language(name):
    """A command's tree is measured from its start to its end; {n} stands wherever it stands, other words as they are."""
    words = COMMANDS[name]
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    point = point_of(words)
    assert 38 * MIB < point.peak_bytes < 120 * MIB
    assert point.upper_bytes >= point.peak_bytes
    assert (point.base_bytes, point.runs) == (0, 1)
    assert point.cpu_s > 0
    assert point.wall_s > 0


def test_repetitions_are_merged():
    """The median counts, the spread between them is kept, and each is a process of its own."""
    sizes = []
    point = Measurer(scenario_of(holds), on_run=sizes.append).point(1000, 2)
    assert (point.runs, sizes) == (2, [1000, 1000])
    several = [Point(7, 110 + peak, 120 + peak, 100, 0, peak, 2 * peak) for peak in (30, 10, 20)]
    assert merged(several) == Point(7, 130, 140, 100, 20, 20, 40, 3)
    assert merged([merged(several), several[0]]).runs == 4
    assert merged(several[:1]) is several[0]


def test_rss_and_anon_are_different_questions(tmp_path):
    """A file that is mapped and read grows the resident size and not the anonymous one."""
    path = tmp_path / "rows"
    path.write_bytes(bytes(32 * MIB))

    def reads(n):
        import mmap

        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as rows:
            return sum(rows[place] for place in range(0, 32 * n, 4096))

    assert point_of(reads, MIB).grown_bytes > 30 * MIB
    assert point_of(reads, MIB, metric="anon").grown_bytes < MIB
    assert (
        point_of(lambda n: (bytearray(n), __import__("time").sleep(0.05)), 32 * MIB, metric="anon").grown_bytes
        > 31 * MIB
    )


def test_a_setup_is_outside(tmp_path, monkeypatch):
    """What it takes is in no figure; its file is the scenario's second argument, and is gone afterwards."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def makes(n):
        import os
        import tempfile

        data = bytes(n * 1000)
        descriptor, path = tempfile.mkstemp()
        os.write(descriptor, data)
        return path

    def reads(_n, path):
        with open(path, "rb") as file:
            while chunk := file.read(1 << 16):
                assert len(chunk) <= 1 << 16

    point = point_of(reads, setup=makes)
    assert point.grown_bytes < MIB
    assert point.base_bytes < 32 * MIB  # of the 40 MB that the set-up held nothing is left
    assert list(tmp_path.iterdir()) == []


def test_what_a_setup_returns_is_part_of_the_base():
    """A large list goes to the scenario's process before the measurement begins."""
    point = point_of(lambda n, rows: sum(rows[:n]), 200_000, setup=lambda n: list(range(n)))
    assert point.base_bytes > 16 * MIB
    assert point.grown_bytes < 3 * MIB


def fails(n):
    raise OSError(28, f"no space for {n}")


def sleeps(n):
    import time

    time.sleep(1000 * n)


@pytest.mark.parametrize(
    ("setup", "kind", "says"),
    [
        (fails, ScenarioFailed, r"fails at n=1,000 failed: OSError: \[Errno 28\] no space for 1000\."),
        (sleeps, errors.LimitReached, r"sleeps at n=1,000 did not end in 500 ms and was killed"),
        (lambda n: threading.Lock() if n else 0, ScenarioFailed, r"a lock, cannot be handed to another process"),
        (lambda n: (row for row in range(n)), ScenarioFailed, r"a generator, cannot be handed"),
        (lambda: 1, ScenarioUnfit, r"it is called with n, and its signature is \(\)"),
        (lambda n: bytes(n << 10), ScenarioUnfit, r"made \d+ KiB at n=1,000 for the scenario\. Let it write a file"),
    ],
)
def test_a_setup_that_fails(monkeypatch, setup, kind, says):
    """The error names the set-up and what it did; the scenario is not run."""
    monkeypatch.setattr(limits, "PROOF_MADE_BYTES_MAX", 1 << 19)
    with pytest.raises(kind, match=says):
        point_of(holds, 1000, setup=setup, timeout_s=0.5 if setup is sleeps else 30)


def prints(n):
    import os

    for _ in range(n):
        os.write(1, bytes(MIB))


def takes_all(n):
    held = []
    while n:
        held.append(bytearray(MIB))


@pytest.mark.parametrize(
    ("scenario", "kind", "says"),
    [
        (lambda n: 1, ScenarioUnfit, r"cannot be measured: it never reads its n\. Let the amount of its work depend on n\."),
        ("nothing_like_it:load", ScenarioUnfit, r"load cannot be imported: ModuleNotFoundError: .*\. Does it import by itself"),
        (lambda n: (row for row in range(n)), ScenarioUnfit, r"a generator that nobody has run.*run through what it makes"),
        (sleeps, errors.LimitReached, r"did not end in 1\.5 s and was killed\. Does it wait"),
        (prints, errors.LimitReached, r"printed more than 16\.0 MiB and was killed\. Let it print less"),
        (takes_all, errors.LimitReached, r"took more than 64\.0 MiB, 80% of the memory this machine had left"),
        (lambda n: __import__("os")._exit(n * 0), ScenarioFailed, r"at n=1,000 ended with exit code 0 before it returned\."),
        (lambda n: __import__("ctypes").string_at(n * 0), ScenarioFailed, r"was killed by SIGSEGV before it returned\."),
        (["sh", "-c", "echo no {n} >&2; exit 3"], ScenarioFailed, r"at n=1,000 ended with exit code 3\."),
        (["sh", "-c", "kill -40 $$ # {n}"], ScenarioFailed, r"was killed by (signal 40|SIGRTMIN\+6)\."),
        (["no-such-command", "{n}"], ScenarioUnfit, r"no-such-command {n} cannot be started: .*no such command\. Check the spelling"),
        (["sh", "-c", "setsid sleep {n} >/dev/null 2>&1 &"], ScenarioUnfit, r"left 1 process running \(pid \d+\), now killed\. Let it wait"),
    ],
)  # fmt: skip
def test_bad_input_is_a_clear_error(monkeypatch, scenario, kind, says):
    """A sentence each that names the scenario, says what happened and what to do."""
    timeout_s = 30
    if scenario is sleeps:
        timeout_s = 1.5
    monkeypatch.setattr(limits, "PROOF_OUTPUT_BYTES_MAX", 16 * MIB)
    if scenario is takes_all:
        monkeypatch.setattr("flatwater.proof.points.memory_bound", lambda: 64 * MIB)
    with pytest.raises(kind, match=says) as caught:
        point_of(scenario, 1000, timeout_s=timeout_s)
    assert "Traceback" not in str(caught.value)


def test_a_failure_carries_what_was_printed():
    """The traceback of a function, the end of a command's error output, and its n."""
    with pytest.raises(ScenarioFailed) as caught:
        point_of(fails, 1000)
    assert caught.value.n == 1000
    assert caught.value.output.startswith("Traceback")
    assert "in fails\n" in caught.value.output
    with pytest.raises(ScenarioFailed) as caught:
        point_of(["sh", "-c", "echo no {n} >&2; exit 3"], 1000)
    assert caught.value.output == "no 1000\n"


@pytest.mark.parametrize("kind", ["cgroup", "rlimit_data"])
def test_survival_under_a_limit(kind):
    """A hog dies under a limit, one that stays inside survives it, and the kind of the limit is told."""
    flat = Measurer(scenario_of(lambda n: [len(bytearray(1000)) for _ in range(n // 100)]))
    hog = Measurer(scenario_of(holds))
    try:
        with make_limit(48 * MIB, kind=kind, name="test") as group:
            assert flat.survive(100_000, group).survived
            seen = hog.survive(100_000, group)
    except errors.BrokenError as error:
        pytest.skip(str(error))
    assert not seen.survived
    assert seen.limit_kind.startswith(kind)
    assert seen.limit_bytes == 48 * MIB
    assert "MemoryError" in seen.words or "killed for its memory limit" in seen.words


def test_an_impossible_limit_is_not_survived():
    """A command that does not even start under its limit, or whose child is killed, has not survived."""
    for kind in ("auto", "rlimit_data"):
        with make_limit(4 * MIB, kind=kind, name="test") as group:
            assert not Measurer(scenario_of([sys.executable, "-c", "bytearray({n})"])).survive(8 * MIB, group).survived
    with make_limit(48 * MIB, name="test") as group:
        words = ["sh", "-c", f"{sys.executable} -c 'bytearray({{n}} * 1000)'; true"]
        seen = Measurer(scenario_of(words)).survive(100_000, group)
        assert seen.survived is (group.kind == "rlimit_data")


@pytest.mark.slow
def test_two_measurers_in_threads():
    """Each has its own processes and folders."""
    found = {}

    def one(n):
        found[n] = point_of(holds, n).grown_bytes

    threads = [threading.Thread(target=one, args=(n,)) for n in (20_000, 60_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 19 * MIB < found[20_000] < 21 * MIB
    assert 57 * MIB < found[60_000] < 59 * MIB


def test_json_of_a_point():
    """What --json shows of it, rounded to microseconds."""
    point = Point(7, 3, 4, 1, 0, 0.12345678, 1.0)
    assert point.to_dict() == {
        "n": 7, "peak_bytes": 3, "upper_bytes": 4, "base_bytes": 1, "spread_bytes": 0,
        "cpu_s": 0.123457, "wall_s": 1.0, "runs": 1,
    }  # fmt: skip
