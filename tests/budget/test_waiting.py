import asyncio
import threading

from flatwater.budget.reservation import Reservation
from flatwater.budget.waiting import TaskWaiter, ThreadWaiter, task_number, thread_number


def test_a_thread_wakes_when_told():
    """A wake before the sleep is not lost."""
    waiter = ThreadWaiter(Reservation(1), "a")
    assert waiter.wake()
    waiter.sleep(60)
    other = ThreadWaiter(Reservation(1), "a")
    thread = threading.Thread(target=other.sleep, args=(60,))
    thread.start()
    other.wake()
    thread.join(30)
    assert not thread.is_alive()


def test_a_task_is_woken_from_any_thread():
    """The future is resolved in its own loop."""

    async def scenario():
        waiter = TaskWaiter(Reservation(1), "a", asyncio.get_running_loop())
        thread = threading.Thread(target=waiter.wake)
        thread.start()
        await asyncio.wait_for(waiter.future, 30)
        thread.join()
        assert waiter.wake()  # twice is fine

    asyncio.run(scenario())


def test_nobody_is_there_when_the_loop_is_closed():
    """Waking a coroutine of a closed loop says so, so that the bytes can come back."""
    loop = asyncio.new_event_loop()
    waiter = TaskWaiter(Reservation(1), "a", loop)
    loop.close()
    assert waiter.wake() is False


def test_numbers_are_never_used_again():
    """Threads and tasks come and go, and each has a number of its own, the same as long as it lives."""
    numbers = []

    def note():
        numbers.append(thread_number())
        assert thread_number() == numbers[-1]

    for _ in range(20):
        thread = threading.Thread(target=note)
        thread.start()
        thread.join()

    async def scenario():
        for _ in range(20):
            numbers.append(await asyncio.create_task(one()))

    async def one():
        number = task_number(asyncio.current_task())
        await asyncio.sleep(0)
        assert task_number(asyncio.current_task()) == number
        return number

    asyncio.run(scenario())
    numbers += [task_number(None), task_number(None)]
    assert len(set(numbers)) == 42
