import threading

import pytest

import flatwater as fw
from flatwater import errors


def test_resize_moves_what_is_held():
    """Growing and shrinking keep budget, holder and peak in step."""
    budget = fw.Budget(100)
    with budget.reserve(10, "a") as reservation:
        reservation.resize(70)
        reservation.resize("30")
        assert (reservation.bytes, reservation.peak, budget.held, budget.peak) == (30, 70, 30, 70)
        assert budget.holders() == [("a", 30, 70)]
    assert (reservation.bytes, budget.held) == (0, 0)


def test_a_refused_growth_leaves_it_as_it_was():
    """Nothing is lost by asking for too much."""
    budget = fw.Budget(100)
    with budget.reserve(60, "other"), budget.reserve(30, "a") as reservation:
        with pytest.raises(errors.BudgetExceeded) as caught:
            reservation.resize(41)
        assert caught.value.asked == 11
        assert reservation.bytes == 30
        with pytest.raises(errors.UsageError):
            reservation.resize(-1)
        assert budget.held == 90


def test_growth_asks_shedders_first():
    """What a cache gives back is enough to grow."""
    budget = fw.Budget(100)
    cache = budget.reserve(60, "cache")

    def shed(_wanted):
        cache.release()
        return 60

    budget.on_pressure(shed)
    with budget.reserve(30, "a") as reservation:
        reservation.resize(90)
        assert budget.held == 90


def test_growth_does_not_queue():
    """One that holds and grows will finish: it passes those who wait."""
    budget = fw.Budget(100)
    with budget.reserve(50, "a") as reservation:
        thread = threading.Thread(target=lambda: budget.reserve(80, "b", wait_s=30).release())
        thread.start()
        while not budget.waiting:
            pass
        reservation.resize(100)
        assert reservation.bytes == 100
    thread.join(30)
    assert budget.held == 0


def test_shrinking_serves_those_who_wait():
    """A waiter is woken by a resize as by a release."""
    budget = fw.Budget(100)
    with budget.reserve(100, "a") as reservation:
        thread = threading.Thread(target=lambda: budget.reserve(50, "b", wait_s=30).release())
        thread.start()
        while not budget.waiting:
            pass
        reservation.resize(50)
        thread.join(30)
        assert not thread.is_alive()


def test_released_is_final():
    """Releasing twice is fine and counts once; resizing after it is an error."""
    budget = fw.Budget(100)
    reservation = budget.reserve(10, "a")
    reservation.release()
    reservation.release()
    assert budget.held == 0
    with pytest.raises(errors.ClosedError, match="released"):
        reservation.resize(1)
    assert "released" in repr(reservation)


def test_two_threads_release_once():
    """A reservation released by many threads at once is returned exactly once."""
    budget = fw.Budget(1000)
    for _ in range(200):
        reservation = budget.reserve(10, "a")
        threads = [threading.Thread(target=reservation.release) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert budget.held == 0


def test_one_that_held_nothing_is_booked_when_it_grows():
    """A holder forgotten while it held nothing comes back to the table with its growth."""
    budget = fw.Budget("1 MiB")
    quiet = budget.reserve(0, "quiet")
    for n in range(3_000):
        budget.reserve(1, f"n{n}").release()
    quiet.resize(500)
    assert ("quiet", 500, 500) in budget.holders()
    quiet.release()
    assert budget.held == 0
