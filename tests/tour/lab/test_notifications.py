"""tour.lab.notifications and its programs: all followers get all changes, in every form."""

from __future__ import annotations

import copy
import tracemalloc

import msgspec
import pytest

from flatwater.tour.lab import registry
from flatwater.tour.lab.programs import notifications


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(notifications, "FOLLOWERS", 5)


def test_all_followers_get_all_changes(tmp_path, ended):
    """Each of five reads versions 0 to 19, whatever was kept for him until then."""
    expected = ["ready", "all changed", "all read"], 5 * (20 + sum(range(20)))
    for steps in (notifications.owned(20), notifications.copied(20), notifications.encoded(20)):
        assert ended(steps) == expected
    assert ended(notifications.database(str(tmp_path), 20)) == expected


def test_a_row_is_a_kilobyte_of_new_texts():
    """1 KB as JSON; no text of a version is one of the next."""
    one, two = notifications.row_of(1), notifications.row_of(2)
    assert len(msgspec.json.encode(one)) == pytest.approx(1_024, abs=60)
    assert {name for name in one if one[name] == two[name]} == {"id"}


def test_a_copy_shares_its_texts_and_a_decoded_row_does_not():
    """Neither a dict's copy nor a deep one copies a text of Python's: only a row that is made anew has texts of its own."""
    row = notifications.row_of(1)
    assert all(made["body"] is row["body"] for made in (row.copy(), copy.deepcopy(row)))
    assert msgspec.json.decode(msgspec.json.encode(row))["body"] is not row["body"]


def test_what_waits_is_held_in_queues_and_not_in_a_log(tmp_path):
    """With everything changed and nothing read, a database holds a tenth of what queues of copies do: the sentence of the experiment."""

    def waiting(steps):
        assert next(steps) == "ready"
        tracemalloc.start()
        try:
            assert next(steps) == "all changed"
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
            steps.close()

    waiting(notifications.database(str(tmp_path), 20))  # what is made in the first one
    assert waiting(notifications.copied(300)) > 10 * waiting(notifications.database(str(tmp_path), 300))


def test_the_write_ups_figures_stand_beside():
    """100 KB for a notification before, 1 KB after; 60 GB an hour, and less than 100 MB."""
    (experiment,) = registry.find(["notifications"])
    words = [figure.words for variant in experiment.variants for figure in variant.seed_figures]
    assert words == ["100 KB each, 60 GB/hour", "1 KB + clones, <100 MB/hour"]
