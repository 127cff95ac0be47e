"""What child programs of `flatwater run` put before their own code, to wait until they have been seen: no sleep is long enough.

`sampled(20)` returns when flatwater has taken 20 more samples while it had this process, and others that are named, in view.
"""

import os
import time

with open(f"/proc/{os.getppid()}/stat") as file:
    FLATWATER = file.read().rpartition(")")[2].split()[1]  # the launcher's parent


def until(holds):
    end_s = time.monotonic() + 30  # then the test fails by what it finds
    while not holds() and time.monotonic() < end_s:
        time.sleep(0.005)


def in_view():
    """What flatwater has open: one statm for each process that it samples."""
    found = set()
    for number in os.listdir(f"/proc/{FLATWATER}/fd"):
        try:
            found.add(os.readlink(f"/proc/{FLATWATER}/fd/{number}"))
        except OSError:
            continue
    return found


def looks():
    """How often flatwater has slept: once a sample."""
    with open(f"/proc/{FLATWATER}/status") as status:
        return int(next(line for line in status if line.startswith("voluntary")).split()[1])


def sampled(times, *pids):
    until(lambda: {f"/proc/{pid}/statm" for pid in (os.getpid(), *pids)} <= in_view())
    enough = looks() + times
    until(lambda: looks() >= enough)
