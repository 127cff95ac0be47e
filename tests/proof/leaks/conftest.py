"""What the tests of this folder share."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def small_heap():
    """The answers of a script of this folder, in a small heap: pytest's own is twenty times larger, and takes seconds to go through."""

    def answers(script):
        done = subprocess.run(
            [sys.executable, Path(__file__).with_name(script)], stdout=subprocess.PIPE, check=True, timeout=100
        )
        return json.loads(done.stdout)

    return answers
