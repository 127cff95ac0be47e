import gc
import threading

import flatwater as fw
from flatwater.budget.ledger import SHUT


def test_attention_is_paid_once_and_then_the_fast_path_is_back():
    """An orphan sends the next call the slow way; after it nothing is left to look at."""
    budget = fw.Budget(100)
    budget.reserve(10, "a")
    gc.collect()
    assert budget._attention
    budget.reserve(10, "b").release()
    assert not budget._attention
    assert budget._orphans_seen == (1, 10)


def test_waiters_keep_attention_until_the_last_is_served():
    """As long as somebody waits, every release looks at the queue."""
    budget = fw.Budget(100)
    first, second = budget.reserve(50, "a"), budget.reserve(50, "b")
    thread = threading.Thread(target=lambda: budget.reserve(100, "c", wait_s=30).release())
    thread.start()
    while not budget.waiting:
        pass
    first.release()
    assert budget._attention
    second.release()
    thread.join(30)
    assert not budget._attention
    assert budget.held == 0


def test_a_shut_ledger_has_room_for_nothing():
    """Closing is one comparison on the fast path: even no bytes do not fit."""
    budget = fw.Budget(100)
    budget.close()
    assert budget._room == SHUT
    assert budget._held + 0 > SHUT
