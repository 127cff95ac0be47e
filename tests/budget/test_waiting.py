import asyncio
import threading

from flatwater.budget.waiting import TaskWaiter, ThreadWaiter


def test_a_thread_wakes_when_told():
    """A wake before the sleep is not lost."""
    waiter = ThreadWaiter(1, "a", 0)
    assert waiter.wake()
    waiter.sleep(60)
    other = ThreadWaiter(1, "a", 0)
    thread = threading.Thread(target=other.sleep, args=(60,))
    thread.start()
    other.wake()
    thread.join(30)
    assert not thread.is_alive()


def test_a_task_is_woken_from_any_thread():
    """The future is resolved in its own loop."""

    async def scenario():
        waiter = TaskWaiter(1, "a", 0, asyncio.get_running_loop())
        thread = threading.Thread(target=waiter.wake)
        thread.start()
        await asyncio.wait_for(waiter.future, 30)
        thread.join()
        assert waiter.wake()  # twice is fine

    asyncio.run(scenario())


def test_nobody_is_there_when_the_loop_is_closed():
    """Waking a coroutine of a closed loop says so, so that the bytes can come back."""
    loop = asyncio.new_event_loop()
    waiter = TaskWaiter(1, "a", 0, loop)
    loop.close()
    assert waiter.wake() is False
