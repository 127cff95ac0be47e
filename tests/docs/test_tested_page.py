"""The page of counts: it says no more than there is, and not much less."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tested():
    """The program that counts."""
    spec = importlib.util.spec_from_file_location("api_tested", ROOT / "api" / "tested.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems leave out tests")
@pytest.mark.timeout(400)
def test_the_page_is_not_stale(tested):
    """Each count is at most what pytest collects now, and at least four fifths of it; each part has tests."""
    done = subprocess.run(
        [sys.executable, ROOT / "api" / "tested.py", "--print"],
        cwd=ROOT, capture_output=True, text=True, timeout=390, check=False,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    now = [int(each.replace(",", "")) for each in tested.NUMBER.findall(tested.rendered(found, exact=True))]
    shown = tested.numbers(tested.TARGET.read_text(encoding="utf-8"))
    assert len(shown) == len(now) > 70, "run `make api`"
    assert [pair for pair in zip(shown, now, strict=True) if tested.stale(*pair)] == [], "run `make api`"
    assert [part for part in tested.PARTS.values() if part not in {**found["quick"], **found["slow"]}] == []


@pytest.mark.parametrize(("count", "down"), [(0, 0), (7, 7), (99, 99), (101, 100), (16_920, 16_000)])
def test_counts_are_rounded_down(tested, count, down):
    """To two figures."""
    assert tested.rounded(count) == down


@pytest.mark.parametrize(
    ("shown", "now", "is_stale"),
    [
        (100, 100, False),
        (100, 125, False),
        (100, 126, True),
        (100, 99, True),
        (7, 12, False),
        (7, 13, True),
        (0, 6, True),
    ],
)
def test_what_is_stale(tested, shown, now, is_stale):
    """One that says more than there is, or a fifth less, or, of few, more than five less."""
    assert tested.stale(shown, now) == is_stale


def test_every_folder_of_tests_is_a_part(tested):
    """A new floor has a row of its own."""
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and list(path.rglob("test_*.py"))}
    assert folders - {"typing"} == set(tested.PARTS)
