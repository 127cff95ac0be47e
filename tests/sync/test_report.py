"""What is said at the end."""

from __future__ import annotations

import json

import pytest

from flatwater.sync.auditing import Difference
from flatwater.sync.phases import Phase
from flatwater.sync.report import Audit, Plan, Report
from flatwater.sync.scanning import Told

BETWEEN = {"source": "here", "destination": "there", "state": "state", "compared": "size"}
ODD = b"\xff\n"


@pytest.mark.parametrize(
    "found",
    [
        Plan(**BETWEEN, new=1, delete=2, refused=1, guard="too many", changes=[Told("new", ODD, 1)], phases=[Phase("scan", 1)]),
        Report(**BETWEEN, failed=12, failures=[(ODD, "why")] * 12, unread=1, unread_folders=[(ODD, "no right")], alerts=["memory"]),
        Audit(**BETWEEN, missing=1, differences=[Difference("missing", ODD, 0)]),
    ],
)  # fmt: skip
def test_for_people_and_for_programs(found):
    """Both say the numbers; no name breaks a line, and every one of them can be JSON."""
    assert "here -> there" in str(found)
    assert "\\xff" in str(found) or ODD not in str(found).encode("utf-8", "surrogateescape")
    back = json.loads(json.dumps(found.to_dict()))
    assert back["source"] == "here"
    assert len(back) >= 12


@pytest.mark.parametrize("short", [{"failed": 1}, {"unread": 1}, {"not_deleted": 1}, {"left": 1}])
def test_complete(short):
    """Only if nothing is left to be done."""
    assert Report(**BETWEEN).is_complete
    assert not Report(**BETWEEN, **short).is_complete


def test_empty_and_fine():
    """A plan with nothing to do, an audit with nothing wrong; what nobody could look at is not fine."""
    assert Plan(**BETWEEN).is_empty
    assert "nothing to do" in str(Plan(**BETWEEN))
    for name in ("new", "changed", "pending", "retry", "refused", "delete"):
        assert not Plan(**BETWEEN, **{name: 1}).is_empty
    assert Audit(**BETWEEN, unknown=5).is_fine
    for name in ("missing", "altered", "unread"):
        assert not Audit(**BETWEEN, **{name: 1}).is_fine


def test_what_was_kept_of_many():
    """Ten reasons, and how many more there are."""
    text = str(Report(**BETWEEN, failed=1500, failures=[(b"p", f"why {number}") for number in range(100)]))
    assert "why 9" in text
    assert "why 10" not in text
    assert "and 1,490 more" in text
