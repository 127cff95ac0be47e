"""Attributes that are made when they are first asked for; those of a bucket are in test_object_options.py."""

from __future__ import annotations

import threading

import pytest

from flatwater.sync.remotes.once import once


class Two:
    """One needs the other."""

    def __init__(self):
        self.lock = threading.RLock()
        self.made = []

    @once
    def outer(self):
        """What it is."""
        self.made.append("outer")
        return [self.inner]

    @once
    def inner(self):
        if self.made.count("inner") < 1:
            self.made.append("inner")
            raise OSError
        return []


def test_once():
    """One that needs another, made again where that failed; found in the object from then on."""
    two = Two()
    with pytest.raises(OSError):
        _ = two.outer
    assert two.outer is two.outer
    assert two.outer[0] is two.inner
    assert two.made == ["outer", "inner", "outer"]
    assert set(vars(two)) == {"lock", "made", "outer", "inner"}
    assert Two.outer.__doc__ == "What it is."
