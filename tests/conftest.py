"""What all tests share: examples that are the same each time, however busy the machine is, and a look at what is open."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import tempfile

import pytest
from hypothesis import HealthCheck, settings

collect_ignore = ["typing"]  # for mypy to read: importing these files would run every verb of the house

# A test fails because of the change that is tested, or not at all: the examples are drawn from a fixed seed, and how long
# one takes is no result. `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=1_000)
settings.load_profile("house")

# A run that was started in the background, or below nohup, ignores these, and so would all programs that tests start.
for name in ("SIGINT", "SIGQUIT", "SIGHUP", "SIGTERM", "SIGUSR1", "SIGUSR2"):
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)


def pytest_configure(config):
    """What tests, doctests and the programs they start leave among temporary files goes with the run.

    pytest's own folders are kept where they always are: a failure is looked at there.
    """
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    if "PYTEST_XDIST_WORKER" in os.environ:
        return  # in that of the process which started it
    folder = tempfile.TemporaryDirectory(prefix="fw-", ignore_cleanup_errors=True)  # short: sockets are below it
    os.chmod(folder.name, 0o1777)  # as that of the system is: some tests start programs as another user
    os.environ["TMPDIR"] = tempfile.tempdir = folder.name
    config.add_cleanup(folder.cleanup)


def pytest_collection_finish():
    """What pytest holds by now is set apart: collections and snapshots take milliseconds, and see what tests made."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item):
    """What malloc keeps of earlier tests goes back first: who sees memory rise must not find it resident already."""
    if sys.platform == "linux" and {"meter", "watch"} & set(item.path.parts):
        getattr(ctypes.CDLL(None), "malloc_trim", lambda _pad: 0)(0)


@pytest.fixture
def open_files():
    """A function that tells what this process has open: the set of `(number, what it is)`.

    What was open before and is not any more is no leak, though it makes a count smaller: the collector closes what earlier
    tests dropped whenever it likes. So tests compare these sets, and ask for nothing new in the later one.
    """

    def looked():
        found = set()
        for number in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd") else ():
            try:
                found.add((int(number), os.readlink(f"/proc/self/fd/{number}")))
            except OSError:
                continue  # the one that listed them
        return found

    return looked
