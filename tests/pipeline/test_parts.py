"""The window of a pmap: what parts under way take, and when one of them ends early."""

from __future__ import annotations

from flatwater.pipeline.parts import Part, Window, shallow_bytes
from flatwater.pipeline.report import Gauge


def share_of(window, foreseen):
    share = Part(window, Gauge("1 pmap(f)", 1), list(range(10)), 100).share
    share.foreseen = foreseen
    window.size += foreseen
    return share


def test_a_part_goes_on_while_there_is_room():
    """It may take more than was foreseen, as long as all together fit."""
    window = Window(1000)
    share = share_of(window, 100)
    for size, goes_on in ((50, True), (50, True), (500, True), (500, False)):
        share.add(size)
        assert share.may_go_on == goes_on
    assert window.is_full
    assert not share_of(window, 0).may_begin
    window.forget(share)
    assert not window.is_full


def test_the_next_one_does_one_item():
    """However full the window is: else nothing would ever be taken out of it."""
    window = Window(1000)
    share_of(window, 2000)
    share = share_of(window, 10)
    assert not share.may_begin
    share.is_next = True
    assert share.may_begin
    assert share.may_go_on
    share.add(100)
    assert not share.may_go_on


def test_an_object_that_does_not_tell_its_size():
    """Weighs nothing."""

    class Odd:
        def __sizeof__(self):
            raise RuntimeError("no")

    assert shallow_bytes(Odd()) == 0
