"""tour.lab.registry: experiments by name."""

from __future__ import annotations

import pytest

from flatwater import errors
from flatwater.tour.lab import registry


def test_all_of_them_without_names():
    """No name is all experiments; names give those, in the lab's order, whatever the order they were asked in."""
    assert registry.find() == registry.all_experiments()
    assert [found.name for found in registry.find(["retention", "files", "files"])] == ["files", "retention"]


@pytest.mark.parametrize(
    ("name", "says"), [("file", "Did you mean 'files'"), ("xyz", "There are: ranges, cycles"), ("", "no experiment ''")]
)
def test_an_unknown_name_is_refused(name, says):
    """With the nearest name, or all there are."""
    with pytest.raises(errors.UsageError, match=says):
        registry.find([name])
