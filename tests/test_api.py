"""The public interface is what api/flatwater.txt says: a change of it is seen, and on purpose."""

from __future__ import annotations

import difflib
import importlib.util
import sys
from pathlib import Path

import pytest

API = Path(__file__).parents[1] / "api"


@pytest.fixture(scope="module")
def now():
    """The interface as it is, a line a name."""
    spec = importlib.util.spec_from_file_location("api_dump", API / "dump.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.text().splitlines()


@pytest.fixture(scope="module")
def kept():
    """The interface as it was written down."""
    return (API / "flatwater.txt").read_text(encoding="utf-8").splitlines()


def test_names_are_those_that_were_written_down(now, kept):
    """`make api` writes them anew; the changelog says what changed."""
    before, after = ({line.partition(":")[0] for line in lines} for lines in (kept, now))
    assert (sorted(after - before), sorted(before - after)) == ([], []), (
        "run `make api`, and say in CHANGELOG.md what changed"
    )


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="other versions write some signatures in another way")
def test_signatures_are_those_that_were_written_down(now, kept):
    """Names of arguments, their order and their defaults."""
    found = "\n".join(difflib.unified_diff(kept, now, "api/flatwater.txt", "now", lineterm="", n=0))
    assert found == "", "run `make api`, and say in CHANGELOG.md what changed"


def test_the_page_of_limits_is_what_the_limits_say():
    """Written by `make api`, from the comments beside them."""
    spec = importlib.util.spec_from_file_location("api_limits", API / "limits.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (API.parent / "docs" / "limits.md").read_text(encoding="utf-8") == module.text(), "run `make api`"
