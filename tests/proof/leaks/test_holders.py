"""proof.leaks.holders: the shortest way from a name."""

from __future__ import annotations

import pytest

from flatwater.proof.leaks import holders


@pytest.fixture(scope="module")
def told(small_heap):
    """The answers in a small heap."""
    return small_heap("holding.py")


def test_ways_from_modules_and_classes(told):
    """What a module or a class holds is reached by its name, by the fewest steps."""
    found = told["by_name"]
    assert found["label"] == found["holder"] == "__main__.KEPT"
    assert found["way"]
    assert found["depth"] == 1
    assert found["in_class"] == "__main__.Registry"
    assert found["object"]


def test_growing_containers_are_holders(told):
    """The nearest growing container on the way is the holder of what is below it, not of itself."""
    assert told["growing"] == {"inner": True, "rows": "__main__.KEPT"}


def test_local_variables_and_closures(told):
    """A local variable of a running function, and of another thread, is a name; what nobody holds has none."""
    assert "'local'" in told["local"]
    assert "in thread" in told["in_thread"]
    assert told["nobody"] == {"way": [holders.UNREACHED, []], "holder": holders.UNREACHED, "is_in": False}


def test_what_holds_nothing_is_left_out(told):
    """Texts and numbers are on no way unless theirs is asked for; many holders at once are those of each."""
    assert told["left_out"] == {"all": [True, True], "some": [False, True], "each": True, "place": True}


def test_who_keeps_a_thread(told):
    """A thread that the program keeps is held by that, another by Python's list; what is no thread has no keeper."""
    assert told["alive"] == [True, "threading._active", None]


def test_modules_that_grow(told):
    """`sys.modules` and the names of a module are told where they grow, and a context variable by its name."""
    assert told["modules"] == {
        "plain": [False, False],
        "modules": "sys.modules",
        "globals": "globals of __main__",
        "inside": True,
        "in_context": "context variable 'VARIABLE'",
    }
