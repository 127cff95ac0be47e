"""What a recorded run allocated, beside findings."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from flatwater import errors, limits
from flatwater.lint import profile
from flatwater.lint.finding import Confidence, Finding

LIBRARY = "/usr/lib/python3.11/json/__init__.py"


def finding(path, line, end_line=None):
    return Finding(str(path), line, 1, "FW101", "", Confidence.SURE, end_line or line, 9, "")


def speedscope(*stacks):
    """A profile of `(bytes, [(name, file, line), outermost first])`."""
    frames = sorted({frame for _size, stack in stacks for frame in stack})
    return {
        "shared": {"frames": [{"name": f"{name}:{line}", "file": str(file), "line": line} for name, file, line in frames]},
        "profiles": [
            {
                "type": "sampled", "unit": "bytes", "weights": [size for size, _stack in stacks],
                "samples": [[frames.index(frame) for frame in stack] for _size, stack in stacks],
            }
        ],
    }  # fmt: skip


@pytest.fixture
def record(tmp_path, monkeypatch):
    """A function that writes something as JSON and reads it as a run; the working directory is empty."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.py").write_text("\n" * 20)

    def make(found, name="run.json"):
        (tmp_path / name).write_text(json.dumps(found))
        return profile.read(str(tmp_path / name))

    return make


def test_by_lines(record, tmp_path):
    """A line has the bytes that it and what it called allocated; each stack counts once."""
    job = str(tmp_path / "job.py")
    run = record(
        speedscope(
            (100, [("main", job, 9), ("load", job, 3), ("loads", LIBRARY, 30)]),
            (10, [("main", job, 9), ("load", job, 4)]),
            (1, [("main", job, 9), ("main", job, 9)]),
        )
    )
    assert (run.total_bytes, run.kind) == (111, "held at the peak")
    assert [run.of(finding("job.py", line)) for line in (3, 4, 9, 5)] == [100, 10, 111, 0]
    assert run.of(finding("job.py", 3, 4)) == 110
    assert run.of(finding("other.py", 3)) == 0


def test_a_function_whose_results_are_kept(record, tmp_path):
    """What its lines allocate is its finding's, which stands on its decorator."""
    job = str(tmp_path / "job.py")
    run = record(speedscope((100, [("main", job, 9), ("profile", job, 5)]), (10, [("main", job, 9)])))
    kept = replace(finding("job.py", 3), body_end=6)
    assert run.of(finding("job.py", 3)) == 0
    assert run.of(kept) == 100
    assert [each.line for each in run.hot(1)] == [9]


def test_lines_without_a_finding(record, tmp_path):
    """The innermost line that is no library's, the largest first; those of findings are not among them."""
    job = str(tmp_path / "job.py")
    run = record(
        speedscope(
            (100, [("main", job, 9), ("load", job, 3), ("loads", LIBRARY, 30)]),
            (50, [("main", job, 9), ("table", job, 7)]),
            (10, [("main", job, 9)]),
            (1, [("main", job, 8)]),
        )
    )
    run.of(finding("job.py", 3))
    assert [(each.line, each.function, each.own_bytes) for each in run.hot(5)] == [(7, "table", 50), (9, "main", 10)]


def test_run_elsewhere(record):
    """A file that was run on another machine is known by the end of its name."""
    run = record(speedscope((5, [("main", "/app/src/job.py", 3)]), (7, [("main", "/app/src/other_job.py", 3)])))
    assert run.of(finding("job.py", 3)) == 5


def test_two_that_end_alike(record, tmp_path):
    """Of those the shorter name counts, and a folder's dot is a part of its name."""
    (tmp_path / ".jobs").mkdir()
    run = record(
        speedscope(
            (7, [("main", "/app/old/job.py", 3)]), (5, [("main", "/app/job.py", 3), ("main", "/app/.jobs/a.py", 9)])
        )
    )
    assert (run.of(finding("job.py", 3)), run.of(finding(".jobs/a.py", 9))) == (5, 5)


def test_suspects(record, tmp_path):
    """The JSON of a run without a profile has the lines at which its process grew."""
    job = str(tmp_path / "job.py")
    suspect = {
        "file": job, "line": 3, "function": "load", "growth_bytes": 70,
        "stack": [f"{LIBRARY}:30 loads", f"{job}:3 load", f"{job}:9 <module>"],
    }  # fmt: skip
    run = record({"suspects": [suspect], "profile_path": None})
    assert [(each.line, each.function, each.own_bytes) for each in run.hot(1)] == [(3, "load", 70)]
    assert [run.of(finding("job.py", line)) for line in (3, 9)] == [70, 70]
    assert "grew" in run.kind


def test_the_profile_beside_it(record, tmp_path):
    """The JSON of a run names its profile, which knows more; it may have been moved with it."""
    (tmp_path / "p.json").write_text(json.dumps(speedscope((5, [("main", str(tmp_path / "job.py"), 3)]))))
    run = record({"suspects": [], "profile_path": "/elsewhere/p.json"})
    assert (run.of(finding("job.py", 3)), run.kind) == (5, "held at the peak")


def test_a_run(tmp_path, monkeypatch):
    """`flatwater run` writes what is read here: a line that holds 40 MB is found with them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.py").write_text("def make():\n    return [bytes(1000) for _ in range(40_000)]\n\nkept = make()\n")
    command = [
        sys.executable,
        "-m",
        "flatwater",
        "run",
        "-q",
        "--linger",
        "10ms",
        "--profile",
        "p.json",
        "--json",
        "r.json",
    ]
    subprocess.run([*command, "--", sys.executable, "job.py"], check=True, timeout=100)
    run = profile.read("r.json")
    assert run.of(finding("job.py", 2)) > 35_000_000


BROKEN = {
    "no JSON": (b"{", "is no JSON"),
    "deep": (b"[" * 100_000, "is no JSON"),
    "a list": (b"[]", "is no record of a run"),
    "something else": (b"{}", "is no record of a run"),
    "a run without lines": (b'{"suspects": []}', "says nothing about lines"),
    "suspects without figures": (b'{"suspects": [{}]}', "is no record of a run"),
    "suspects that are none": (b'{"suspects": 3}', "is no record of a run"),
    "figures without an end": (
        b'{"suspects": [{"file": "a", "line": 1, "growth_bytes": 1e400}]}',
        "is no record of a run",
    ),
    "a profile without frames": (b'{"profiles": []}', "is no profile of allocations"),
    "frames that are not there": (
        b'{"shared": {"frames": []}, "profiles": [{"type": "sampled", "unit": "bytes", "samples": [[3]], "weights": [1]}]}',
        "is no profile of allocations",
    ),
    "seconds": (
        b'{"shared": {"frames": []}, "profiles": [{"type": "sampled", "unit": "seconds", "samples": [], "weights": []}]}',
        "is a profile of seconds",
    ),
}


@pytest.mark.parametrize(("data", "said"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_run(tmp_path, data, said):
    """It is refused."""
    (tmp_path / "run.json").write_bytes(data)
    with pytest.raises(errors.UsageError, match=said):
        profile.read(str(tmp_path / "run.json"))


def test_what_cannot_be_read(tmp_path, monkeypatch):
    """Nor is one that is not there, or too large."""
    with pytest.raises(errors.UsageError, match="cannot be read: no such file"):
        profile.read(str(tmp_path / "gone.json"))
    monkeypatch.setattr(limits, "LINT_PROFILE_BYTES_MAX", 3)
    (tmp_path / "run.json").write_bytes(b"    ")
    with pytest.raises(errors.UsageError, match="has more than 3 bytes"):
        profile.read(str(tmp_path / "run.json"))


def test_the_largest_lines(record, tmp_path, monkeypatch):
    """Of very many lines those with the most bytes are kept."""
    monkeypatch.setattr(limits, "LINT_PROFILE_LINES_MAX", 2)
    run = record(speedscope(*((line, [("main", str(tmp_path / "job.py"), line)]) for line in range(1, 9))))
    assert [run.of(finding("job.py", line)) for line in (6, 7, 8)] == [0, 7, 8]
    assert [each.line for each in run.hot(1)] == []
