"""ingest.snapshot: reading a corpus in one snapshot."""

from __future__ import annotations

import pytest

from flatwater import errors
from flatwater.ingest import snapshot
from flatwater.ingest.manifest import Manifest
from flatwater.ingest.vectors import GenerationGone


@pytest.fixture
def path(tmp_path):
    """A manifest that nobody writes to."""
    Manifest(str(tmp_path), read_only=False, makes=True).close()
    return str(tmp_path)


def write(path):
    """What one run of a writer does."""
    table = Manifest(path, read_only=False)
    table.set_meta(a=int(table.meta("a", 0)) + 1)
    table.close()


def test_what_changed_meanwhile_is_read_again(path):
    """Half of the old and half of the new is dropped, also where it looked like damage."""
    for way in ("result", errors.CorruptError("damage"), AttributeError("none")):
        looks = []

        def work(table, way=way, looks=looks):
            looks.append(int(table.meta("a", 0)))
            if len(looks) == 1:
                write(path)
                if isinstance(way, Exception):
                    raise way
            return looks[-1]

        found = snapshot.read(path, work)
        assert len(looks) == 2
        assert found == looks[0] + 1


def test_an_error_over_what_did_not_change_is_told_at_once(path):
    """Damage is damage."""
    looks = []

    def work(_table):
        looks.append(1)
        raise errors.CorruptError("damage")

    with pytest.raises(errors.CorruptError, match="damage"):
        snapshot.read(path, work)
    assert len(looks) == 1


def test_vectors_that_were_replaced_are_looked_for_again_and_at_last_told(path):
    """A writer may have taken them away between two looks; files that stay away are damage."""
    looks = []

    def work(_table, until):
        looks.append(1)
        if len(looks) < until:
            raise GenerationGone("gone")
        return "there"

    assert snapshot.read(path, lambda table: work(table, 3)) == "there"
    with pytest.raises(errors.CorruptError, match="gone"):
        snapshot.read(path, lambda table: work(table, 100))


def test_a_corpus_that_never_rests_is_told(path):
    """It does not look for ever."""
    with pytest.raises(errors.BrokenError, match="changed during"):
        snapshot.read(path, lambda _table: write(path))
