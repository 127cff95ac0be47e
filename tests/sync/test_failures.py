"""Kinds of failures."""

from __future__ import annotations

from flatwater import errors
from flatwater.sync import failures


def test_each_is_a_broken_error():
    """So that who calls a sync catches one thing; none is a kind of another but for the base."""
    kinds = [kind for kind in vars(failures).values() if isinstance(kind, type) and issubclass(kind, failures.Failure)]
    assert len(kinds) == 7
    for kind in kinds:
        assert issubclass(kind, errors.BrokenError)
        assert kind.__mro__[1] is (errors.BrokenError if kind is failures.Failure else failures.Failure)
