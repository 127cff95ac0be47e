"""tour.steps.words: counting the words of real and hostile files inside a share."""

from __future__ import annotations

import gzip
import os

import pytest

from flatwater import errors
from flatwater.budget import Budget
from flatwater.tour import Inputs, Root
from flatwater.tour.steps.words import Words

MIB = 1 << 20


def run(*paths, seconds=60.0, share_mib=8):
    step, budget = Words(), Budget(share_mib * MIB)
    assert step.bytes_max(share_mib * MIB) <= share_mib * MIB
    return step.run(budget, Inputs(tuple(Root(str(path)) for path in paths), seconds)), budget


def test_what_it_tells(tmp_path):
    """Words, bytes, files, lines and the most frequent words are exact where all words fit."""
    (tmp_path / "a.txt").write_text("The cat, the hat.\nThe end")
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"the hat\n"))
    result, budget = run(tmp_path)
    assert (result.items, result.bytes, result.item_name, result.complete) == (8, 33, "words", True)
    assert result.details["top"][:2] == [{"word": "the", "count": 4}, {"word": "hat", "count": 2}]
    assert (result.details["files"], result.details["lines"], result.details["exact"]) == (2, 3, True)
    assert "2 files, 3 lines; 4 different words, counted exactly" in result.notes[0]
    assert "the 4, hat 2" in result.notes[1]
    assert budget.held == 0
    assert 0 < budget.peak <= budget.limit


def test_it_says_what_it_passed_over(tmp_path):
    """Hostile neighbours do not stop it: each is counted by its reason."""
    (tmp_path / "good").write_text("word\n")
    (tmp_path / "binary").write_bytes(os.urandom(1000) + b"\0" * 100)
    (tmp_path / "broken.gz").write_bytes(b"\x1f\x8bnonsense")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    result, _budget = run(tmp_path)
    assert result.items == 1
    assert result.details["passed_over"] == {"not text": 1, "broken archives": 1, "links": 1, "special files": 1}
    assert result.notes[-1].startswith("passed over: 1 ")


def test_a_huge_line_is_a_line(tmp_path):
    """Some MiB without a line's end are read in pieces, and counted as one line."""
    with (tmp_path / "line").open("wb") as file:
        for _ in range(3):
            file.write(b"word " * (MIB // 5))
    result, _budget = run(tmp_path)
    assert (result.items, result.details["lines"], result.details["exact"]) == (3 * (MIB // 5), 1, True)


def test_its_time_ends(tmp_path):
    """It stops in the middle, says that it is not complete, and what it counted counts."""
    for name in "abc":
        (tmp_path / name).write_text("word\n" * 1000)
    result, _budget = run(tmp_path, seconds=1e-9)
    assert not result.complete
    assert result.items > 0


@pytest.mark.parametrize("content", [None, b"\0\0\0", b""])
def test_no_text_is_a_clear_error(tmp_path, content):
    """A place without any text is named, with what was there instead."""
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    with pytest.raises(errors.UsageError, match="there is no text to read in"):
        run(tmp_path)


def test_the_estimate_is_called_one(tmp_path):
    """Where words did not fit, the note says by how much a count may be too low."""
    with (tmp_path / "many").open("w") as file:
        for number in range(40_000):
            file.write("frequent " + "".join(chr(97 + int(digit)) for digit in str(number)) + "\n")
    result, _budget = run(tmp_path, share_mib=4)
    assert not result.details["exact"]
    assert "so a count is an estimate: up to" in result.notes[0]
    assert result.details["top"][0]["word"] == "frequent"
    assert 0 <= 40_000 - result.details["top"][0]["count"] <= result.details["off_by_max"]
