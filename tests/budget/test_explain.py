import json
import sys
import threading

import flatwater as fw

MIB = 1 << 20


def test_the_table_reads_like_a_table():
    """Largest holders first, those of a share below it, what is held and free at the end."""
    budget = fw.Budget("64 MiB", name="job")
    share = budget.share("sync", "40 MiB")
    share.reserve("8 MiB", "listing").release()
    held = budget.reserve("1 MiB", "cache")
    text = str(budget.explain())
    assert text.splitlines() == [
        "budget 'job' of 64.0 MiB",
        "  holder            now        peak",
        "  sync         40.0 MiB    40.0 MiB",
        "    listing         0 B     8.0 MiB",
        "  cache         1.0 MiB     1.0 MiB",
        "  held         41.0 MiB    41.0 MiB",
        "  free         23.0 MiB",
    ]
    held.release()


def test_json_has_bytes():
    """to_dict survives JSON and counts in bytes."""
    budget = fw.Budget("64 MiB", name="job")
    with budget.reserve("1 MiB", "cache"):
        figures = json.loads(json.dumps(budget.explain().to_dict()))
    assert figures["held"] == MIB
    assert figures["free"] == 63 * MIB
    assert figures["holders"] == [{"name": "cache", "now": MIB, "peak": MIB, "depth": 0}]


def test_those_who_wait_are_said():
    """A table taken while somebody waits tells it."""
    budget = fw.Budget(100)
    with budget.reserve(100, "a"):
        thread = threading.Thread(target=lambda: budget.reserve(50, "b", wait_s=30).release())
        thread.start()
        while not budget.waiting:
            pass
        assert "1 waiting for bytes" in str(budget.explain())
    thread.join(30)


def test_two_shares_of_one_name():
    """Each shows its own holders."""
    budget = fw.Budget(100)
    one, two = budget.share("w", 10), budget.share("w", 10)
    one.reserve(3, "x").release()
    two.reserve(4, "y").release()
    assert [line.name for line in budget.explain().lines] == ["w", "x", "y"]


def test_a_table_is_of_one_moment():
    """While another thread reserves and releases, the holders of every table add up to what it calls held."""
    budget = fw.Budget(100)
    stop = threading.Event()

    def work():
        while not stop.is_set():
            budget.reserve(60, "worker").release()

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=work)
    thread.start()
    try:
        tables = [budget.explain() for _ in range(2_000)]
    finally:
        stop.set()
        thread.join(30)
        sys.setswitchinterval(before)
    assert [table for table in tables if table.held != sum(line.now for line in table.lines)] == []
