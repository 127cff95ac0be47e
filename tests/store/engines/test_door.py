"""store.engines.door: calls come and go, one who works alone waits for them, and nobody is forgotten inside."""

from __future__ import annotations

import os
import threading

import pytest

from flatwater import errors
from flatwater.store.engines import door as subject
from flatwater.store.engines.door import CLOSED, FORKED, Door


def test_one_who_shuts_waits_until_all_are_out():
    """And whoever comes meanwhile waits until it is open again."""
    door, first, order = Door("s"), object(), []
    door.inside.add(first)

    def work_alone():
        door.shut("it is rebuilt")
        order.append("alone")
        door.open()

    def come_in():
        token = object()
        door.inside.add(token)
        door.wait(token)
        order.append("in")
        door.inside.discard(token)

    alone = threading.Thread(target=work_alone)
    alone.start()
    while not door.reason:
        pass
    visitor = threading.Thread(target=come_in)
    visitor.start()
    assert order == []
    door.inside.discard(first)
    alone.join()
    visitor.join()
    assert order == ["alone", "in"]
    assert door.inside == set()


def test_a_closed_one_refuses():
    """Whoever comes after it was closed for good gets an error, and is not inside."""
    door, token = Door("the path"), object()
    door.shut(CLOSED)
    door.inside.add(token)
    with pytest.raises(errors.ClosedError, match="the path cannot be used: it was closed"):
        door.wait(token)
    assert door.inside == set()


def test_an_interrupt_while_waiting_opens_again(monkeypatch):
    """One who gives up waiting leaves the door as it was: the others go on."""
    door = Door("s")
    door.inside.add(object())

    def interrupted(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(subject.time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        door.shut("it is rebuilt")
    assert door.reason == ""
    door.wait(object())


def test_a_forked_child_is_refused():
    """It has neither the parent's threads nor its engine, and holds no lock that a thread of the parent held."""
    door, went = Door("s"), []
    door.let_go = lambda: went.append(1)
    door.writing.acquire()
    door.inside.add(object())
    child = os.fork()
    if child == 0:
        is_right = door.reason == FORKED and not door.inside and not door.writing.locked() and went == [1]
        os._exit(0 if is_right else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert door.reason == ""
    door.writing.release()
