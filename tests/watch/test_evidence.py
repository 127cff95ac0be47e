"""watch.evidence: what is written down under pressure, and its bounds."""

from __future__ import annotations

import gc
import json
import os
import stat
import threading
from pathlib import Path

import pytest

from flatwater import errors, limits
from flatwater.meter import Timeline
from flatwater.watch import evidence
from flatwater.watch.evidence import EvidenceFiles, bounded_json, columns, holders, stacks, top_types

MIB = 1 << 20


@pytest.fixture(autouse=True)
def small_heap():
    """What earlier tests left is set apart, as is what pytest holds (see conftest.py): on top is what a test made itself."""
    gc.freeze()


def timeline(samples, points_max=2048):
    line = Timeline(points_max=points_max)
    for tick in range(samples):
        line.add(tick / 100, rss=tick + 1, anon=tick)
    return line.points()


def test_a_file_has_all_parts(tmp_path):
    """Facts, types, threads and the history stand in one JSON file that only its owner may read."""
    path = EvidenceFiles(str(tmp_path)).write({"reason": "memory is critical", "holders": []}, timeline(10))
    found = json.loads(Path(path).read_text())
    assert found.keys() == {"reason", "holders", "types", "types_of", "threads", "timeline"}
    assert found["timeline"]["anon"][-1] == 9
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_the_directory_is_made_and_an_impossible_one_is_an_error(tmp_path):
    """A missing directory is made; one that cannot be is refused at once, not when memory is short."""
    path = EvidenceFiles(str(tmp_path / "a" / "b")).write({})
    assert os.path.dirname(path) == str(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    for impossible in (str(tmp_path / "file" / "b"), 5, None, "a\0b"):
        with pytest.raises(errors.UsageError, match="evidence_dir"):
            EvidenceFiles(impossible)


def test_only_the_newest_files_are_kept(tmp_path):
    """Twelve writes leave the newest three, and what others put there, also when someone moved one away."""
    (tmp_path / "notes.txt").write_text("mine")
    files = EvidenceFiles(str(tmp_path), files_max=3)
    paths = [files.write({"n": n}) for n in range(5)]
    os.unlink(paths[-1])
    paths += [files.write({"n": n}) for n in range(5, 12)]
    assert sorted(os.listdir(tmp_path)) == sorted([*map(os.path.basename, paths[-3:]), "notes.txt"])


def test_a_file_is_bounded_whatever_the_facts(tmp_path):
    """Megabytes of facts leave a file within the limit, whose left-out parts are named, and that is still JSON."""
    facts = {"reason": "short", "long": "x" * MIB, "many": list(range(100_000)), "snow": "\u2603" * 200_000}
    path = EvidenceFiles(str(tmp_path)).write(facts, timeline(10_000))
    assert os.path.getsize(path) <= limits.WATCH_EVIDENCE_BYTES_MAX
    found = json.loads(Path(path).read_text())
    assert found["left_out"] == ["snow", "long", "many"]
    assert found["reason"] == "short"
    assert len(found["timeline"]["t_s"]) <= evidence.POINTS_MAX


def test_even_nothing_fits_at_last():
    """With no room for any fact the text is the list of what was left out, and the loop ends."""
    assert json.loads(bounded_json({"a": "x" * 50, "b": 1}, bytes_max=1)) == {"left_out": ["a", "b"]}


def test_what_json_does_not_know_is_cut_text():
    """A foreign object is written as its str(), at most 500 characters of it."""

    class Strange:
        def __str__(self):
            return "s" * 9000

    assert json.loads(bounded_json({"x": Strange()}))["x"] == "s" * evidence.TEXT_CHARS_MAX


class Row:
    def __init__(self, n):
        self.n = n


def test_a_type_that_fills_memory_is_on_top():
    """50,000 tracked objects of one class are counted, and their type is among the first by bytes."""
    kept = [Row(n) for n in range(50_000)]
    found = top_types(blocks_max=1 << 40)
    [row] = [row for row in found["types"][:5] if row["type"].endswith(".Row")]
    assert row["count"] == len(kept)
    assert row["bytes"] >= 48 * len(kept)
    assert found["types_of"] == "all objects the collector tracks"
    assert len(found["types"]) <= evidence.TYPES_MAX


def test_a_large_heap_is_not_listed_whole():
    """Above the bound on blocks only the young generations are listed, and the result says so."""
    kept = [Row(n) for n in range(1_000)]
    gc.collect()  # they are old now
    found = top_types(blocks_max=1)
    assert "two young generations only" in found["types_of"]
    assert not [row for row in found["types"] if row["type"].endswith(".Row")]
    [row] = [row for row in top_types(1 << 40)["types"] if row["type"].endswith(".Row")]
    assert row["count"] == len(kept)


def test_a_hostile_sizeof_does_not_end_the_evidence():
    """An object whose __sizeof__ raises counts with 0 bytes."""

    class Hostile:
        def __sizeof__(self):
            raise RuntimeError("no")

    assert evidence._shallow_bytes(Hostile()) == 0
    assert evidence._shallow_bytes([]) > 0


def test_stacks_name_each_thread_and_are_cut():
    """A waiting thread is there by name with its innermost call first; a deep recursion is cut to twenty frames."""
    ready, end = threading.Event(), threading.Event()

    def deep(depth):
        if depth:
            deep(depth - 1)
            return
        ready.set()
        end.wait(60)

    thread = threading.Thread(target=deep, args=(100,), name="the deep one")
    thread.start()
    ready.wait(60)
    while "wait" not in (found := {row["thread"]: row["stack"] for row in stacks()})["the deep one"][0]:
        pass  # it is on its way from the one call to the other
    end.set()
    thread.join()
    assert len(found["the deep one"]) == evidence.FRAMES_MAX
    assert "wait" in found["the deep one"][0]
    assert "deep" in found["the deep one"][-1]
    assert "MainThread" in found


def test_more_threads_than_the_bound_are_cut():
    """Forty waiting threads leave thirty-two stacks."""
    end = threading.Event()
    threads = [threading.Thread(target=end.wait, args=(60,)) for _ in range(40)]
    for thread in threads:
        thread.start()
    assert len(stacks()) == evidence.THREADS_MAX
    end.set()
    for thread in threads:
        thread.join()


def test_holders_are_ranked_and_cut():
    """The largest fifty, largest first; a name keeps its end, which tells it."""
    rows = holders([(f"{'long ' * 50}{n}", n) for n in range(80)])
    assert [row["bytes"] for row in rows] == list(range(79, 29, -1))
    assert rows[0]["name"].endswith("79")
    assert len(rows[0]["name"]) == evidence.NAME_CHARS_MAX


@pytest.mark.parametrize("samples", [0, 1, 511, 512, 513, 1024, 2047])
def test_columns_keep_the_newest_point(samples):
    """Any history becomes at most 512 points of which the last is the newest."""
    points = timeline(samples)
    found = columns(points)
    assert len(found["t_s"]) == len(found["rss"]) == len(found["anon"]) <= evidence.POINTS_MAX
    if samples:
        assert found["anon"][-1] == samples - 1
