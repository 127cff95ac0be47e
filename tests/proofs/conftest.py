"""What the processes of a proof import: the functions they run, and not the module of the test with pytest in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[2])


@pytest.fixture(autouse=True)
def not_importable(monkeypatch):
    """This project's folder is not on the path, where `python -m pytest` puts it.

    A function whose module a fresh process can import is sent by name, else by value; a third of a second and 10 MiB of
    each run would be pytest. For the same reason nothing that is sent has an `assert` in it, which pytest rewrites.
    """
    elsewhere = [folder for folder in sys.path if os.path.abspath(folder) != ROOT]
    monkeypatch.setattr(sys, "path", elsewhere)
