"""kill -9 at every step of a job with a checkpoint: each item once in sinks that are atomic, at least once elsewhere."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("lmdb")

ITEMS = 3000
JOB = '''
import os, signal, sys, time
import flatwater as fw

ITEMS = 3000
at_once = False


def numbers():
    yield from range(ITEMS)


def slow(number):
    if not at_once:
        time.sleep(0.0004)
    return number


def row(neighbours):
    return {"first": neighbours[0], "last": neighbours[-1]}


def entry(row):
    return (row["first"],), str(row["last"]).encode()


def note(pair):
    with open("calls.txt", "a") as file:
        file.write(f"{pair[0][0]}\\n")
    return pair


def run(source):
    store = fw.Store("store")
    flow = fw.Flow(source, batch_rows=100).map(slow).window(3).batch(rows=7).flat_map(list).map(row)
    flow = flow.to("rows.jsonl").to("rows.csv").to("rows.parquet").pmap(entry, workers=2).to(store).each(note)
    report = flow.run(checkpoint="job.state", checkpoint_s=0.0001 if at_once else 0.05)
    store.close()
    return report


def killed_before(step):
    """In a child: it dies at so many calls that make something last or visible."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    left = step

    def dying(function):
        def call(*arguments, **named):
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **named)
        return call

    for name in ("fsync", "replace", "unlink"):
        setattr(os, name, dying(getattr(os, name)))
    run(numbers)
    os._exit(0)
'''


def checked(folder: Path, items: int = ITEMS) -> None:
    """Every window is in every file once, in order; every call was made."""
    import pyarrow.parquet as pq

    import flatwater as fw

    wanted = [(n, n + 2) for n in range(items - 2)]
    lines = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    assert [(line["first"], line["last"]) for line in lines] == wanted
    with (folder / "rows.csv").open(newline="") as file:
        assert [(int(line["first"]), int(line["last"])) for line in csv.DictReader(file)] == wanted
    assert [(line["first"], line["last"]) for line in pq.read_table(folder / "rows.parquet").to_pylist()] == wanted
    with fw.Store(folder / "store") as store:
        found = [(key[0], int(value)) for batch in store.batches() for key, value in batch]
    assert found == wanted
    assert {int(line) for line in (folder / "calls.txt").read_text().split()} == {first for first, _last in wanted}
    assert not [name for name in os.listdir(folder) if name.endswith((".part", ".new", ".tmp"))]


def in_a_fresh_python(folder: Path, more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", JOB + more], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize("stride", [13, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_every_step(tmp_path, stride):
    """Before each call that makes something last, and run to its end then: nothing is lost, nothing there twice."""
    more = (
        f"\nstride = {stride}\n"
        """
ITEMS, at_once = 300, True
import pathlib
import lmdb, pyarrow.parquet  # once, and not in every child
step, ended = 1 - stride, False
while not ended:
    step += stride
    place = pathlib.Path("steps", str(step)); place.mkdir(parents=True); os.chdir(place)
    ended = killed_before(step) == 0
    assert killed_before(10**9) == 0, step
    os.chdir("../..")
print(step)
"""
    )
    done = in_a_fresh_python(tmp_path, more)
    assert done.returncode == 0, done.stderr
    steps = int(done.stdout)
    assert steps > 30
    for step in range(1, steps + 1, stride):
        checked(tmp_path / "steps" / str(step), 300)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["numbers", "fw.lines('numbers.txt')"])
def test_thirty_rounds_at_any_time(tmp_path, source):
    """Killed thirty times on its way, a job comes to its end, and a run after that changes nothing."""
    (tmp_path / "numbers.txt").write_text("".join(f"{n}\n" for n in range(12_000)))
    job = JOB.replace(f"ITEMS = {ITEMS}", "ITEMS = 12_000").replace("return number", "return int(number)")
    chance, kills, ends = random.Random(source), 0, 0
    while kills < 30 or not ends:
        program = subprocess.Popen([sys.executable, "-c", f"{job}\nrun({source})"], cwd=tmp_path)
        try:
            assert program.wait(timeout=chance.uniform(0.5, 1.1) if kills < 30 else 120) == 0
            ends += 1
            if kills < 30:  # it was too quick
                kills += 1
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGKILL)
            program.wait()
            kills += 1
    checked(tmp_path, 12_000)
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in ("rows.jsonl", "rows.csv", "rows.parquet")}
    again = subprocess.run(
        [sys.executable, "-c", f"{job}\nprint(run({source}).items)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout == "0\n"
    assert before == {name: (tmp_path / name).stat().st_mtime_ns for name in before}
    checked(tmp_path, 12_000)
