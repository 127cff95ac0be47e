import asyncio
import threading

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.budget import Gate


def test_a_share_obeys_the_gates_above():
    """Pausing a budget pauses what is inside it, and not what is beside it."""
    budget = fw.Budget(100)
    share, sibling = budget.share("a", 10), budget.share("b", 10)
    share.gate.pause("only me")
    assert (share.gate.is_open, sibling.gate.is_open, budget.gate.is_open) == (False, True, True)
    share.gate.resume()
    budget.gate.pause("all")
    assert share.gate.reason == "all"
    share.gate.resume()
    assert not share.gate.is_open


@pytest.mark.parametrize("reason", ["", None, 3])
def test_a_pause_has_a_reason(reason):
    """Nobody is made to guess why everything stands still."""
    with pytest.raises(errors.UsageError, match="reason"):
        Gate().pause(reason)


@pytest.mark.parametrize("timeout_s", [-1, float("nan"), float("inf"), True, "10s", None, []])
def test_waiting_is_finite(timeout_s):
    """Nobody waits for ever."""
    with pytest.raises(errors.UsageError, match="timeout_s"):
        Gate().wait(timeout_s)
    with pytest.raises(errors.UsageError, match="timeout_s"):
        asyncio.run(Gate().wait_async(timeout_s))


def test_threads_go_on_when_it_opens():
    """All that wait, in a child gate too, go on."""
    gate = Gate()
    child = Gate(gate)
    gate.pause("test")
    assert gate.wait(0.01) is False
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(child.wait(30))) for _ in range(4)]
    for thread in threads:
        thread.start()
    gate.resume()
    for thread in threads:
        thread.join(30)
    assert answers == [True] * 4


def test_coroutines_go_on_when_it_opens():
    """The loop goes on while a coroutine waits, and a timeout is False."""

    async def scenario():
        gate = Gate()
        assert await gate.wait_async(0)
        gate.pause("test")
        assert await gate.wait_async(0.01) is False
        waiting = [asyncio.create_task(Gate(gate).wait_async(30)) for _ in range(3)]
        await asyncio.sleep(0)
        threading.Thread(target=gate.resume).start()
        assert await asyncio.gather(*waiting) == [True] * 3
        assert gate._callbacks == {}

    asyncio.run(scenario())


def test_a_loop_that_is_gone_keeps_nobody_asleep():
    """Resuming passes over a coroutine whose loop was closed, and wakes those behind it."""
    gate = Gate()
    gate.pause("test")
    loop = asyncio.new_event_loop()
    gone = loop.create_task(gate.wait_async(30))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()

    async def scenario():
        waiting = asyncio.create_task(gate.wait_async(30))
        await asyncio.sleep(0)
        gate.resume()
        assert await asyncio.wait_for(waiting, 10)

    asyncio.run(scenario())
    assert gate._callbacks == {}
    gone._coro.close()
