"""Which loop awaits a run, and what does not belong into a stage."""

from __future__ import annotations

import asyncio
import functools

import pytest

from flatwater import errors
from flatwater.pipeline import loops
from flatwater.pipeline.flow import Flow


async def later(item):
    return item


async def several(item):
    yield item


class Later:
    async def __call__(self, item):
        return item


@pytest.mark.parametrize("function", [later, several, Later(), functools.partial(later, 1)])
@pytest.mark.parametrize("verb", ["map", "filter", "flat_map", "each", "tap", "pmap", "pipe", "to"])
def test_a_coroutine_function_is_no_stage(verb, function):
    """Its results would be coroutines that nobody awaits: refused when the flow is made, with what to do."""
    with pytest.raises(errors.UsageError, match="asynchronous") as caught:
        getattr(Flow([1]), verb)(function)
    assert "asynchronous generator" in caught.value.hint


def test_the_loop_that_awaits():
    """It is known in the thread of the run, and not where it runs itself: waiting there would stop it."""

    async def main():
        assert loops.awaiting() is None
        loops.current.set(asyncio.get_running_loop())
        assert loops.awaiting() is None
        with pytest.raises(errors.UsageError, match="belongs to an event loop"):
            loops.waiting("a queue")
        with pytest.raises(errors.UsageError, match="arun"):
            loops.refuse_running("it")
        assert await asyncio.to_thread(loops.awaiting) is asyncio.get_running_loop()
        assert await asyncio.to_thread(lambda: loops.waiting("it")(later(3), 30)) == 3

    asyncio.run(main())
    assert loops.awaiting() is None
    loops.refuse_running("it")
