"""Sessions of pytest in processes of their own, as a user starts them."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

import pytest

PLAIN = ["-p", "no:hypothesispytest"]  # an import of half a second that these sessions have no use for


@dataclass
class Case:
    """What one test came to: "passed", "failed", "error" or "skipped", its words and its properties."""

    outcome: str
    text: str = ""
    properties: dict = field(default_factory=dict)


@dataclass
class Session:
    """A finished session."""

    code: int
    text: str
    cases: dict

    def case(self, name):
        """By its name; pytest 8 names a case by its node id, where that is an odd one."""
        found = [known for known in self.cases if known == name] or [known for known in self.cases if name in known]
        assert len(found) == 1, self.text
        return self.cases[found[0]]

    def outcome(self, name):
        return self.case(name).outcome

    def words(self, name):
        return self.case(name).text


def run_session(folder, *words, plain=True, **variables):
    """Run pytest in a folder; every case by its name."""
    junit = folder / "junit.xml"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    command = [sys.executable, "-m", "pytest", f"--junitxml={junit}", *(PLAIN if plain else []), *map(str, words)]
    done = subprocess.run(
        command, cwd=folder, env={**environment, **variables},
        capture_output=True, text=True, timeout=550, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    cases = {}
    if junit.exists():
        for element in ET.parse(junit).iter("testcase"):
            cases[element.get("name")] = case_of(element)
        junit.unlink()
    return Session(done.returncode, done.stdout + done.stderr, cases)


def case_of(element):
    properties = {entry.get("name"): entry.get("value") for entry in element.iter("property")}
    for outcome in ("failure", "error", "skipped"):
        found = element.find(outcome)
        if found is not None:
            text = f"{found.get('message')}\n{found.text or ''}"
            return Case("failed" if outcome == "failure" else outcome, text, properties)
    return Case("passed", "", properties)


@pytest.fixture
def session(tmp_path):
    """`session(text, *words)` writes test_it.py and runs it."""

    def run(text, *words, name="test_it.py", **options):
        (tmp_path / name).write_text(text)
        return run_session(tmp_path, *words, **options)

    return run


@pytest.fixture(scope="module")
def run():
    """`run(folder, *words)`, for modules that share one session among their tests."""
    return run_session
