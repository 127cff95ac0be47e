"""Let a watching process ask a Python program which line it is on. Found through PYTHONPATH at interpreter start.

Covers:     registering a C-level stack dump on one signal; optional allocation profiles; chaining to the program's own
            `sitecustomize`.
Not here:   asking, and reading the answers (`meter.suspects`).
Holds:      one descriptor, no thread, no Python code at run time.

The signal is SIGURG: ignored by default, so that it can harm no process that has not registered (or has called exec
since). `faulthandler` answers inside the signal handler, in C, even while a long C call holds the interpreter's lock. The
handler has SA_RESTART, so that system calls that can be restarted are; the others are the watching side's care.
Any Python from 3.6 on runs this file, so it uses nothing newer, and no failure of it may reach the program.
"""

import os
import sys


def _register() -> None:
    import faulthandler
    import fcntl
    import resource
    import signal

    directory = os.environ["FLATWATER_TRACE"]
    low = os.open(
        os.path.join(directory, str(os.getpid())), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
    )
    # A high number stays out of the way of programs that count on 3, 4, 5 or close the low ones.
    high = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 8, 960)
    number = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, high)
    os.close(low)
    # Alone on the signal, faulthandler asks for SA_RESTART: a read, write or wait of native code goes on after it as if
    # nothing had been. Chained it does not, so it is chained only to the recorder of a profile, which puts the flag back.
    chain = callable(signal.getsignal(signal.SIGURG))
    faulthandler.register(signal.SIGURG, file=number, all_threads=False, chain=chain)
    signal.siginterrupt(signal.SIGURG, False)  # noqa: FBT003 - the standard library's signature


def _profile() -> None:
    import flatwater_profile_child

    flatwater_profile_child.start(os.environ["FLATWATER_PROFILE"])


def _chain(here: str) -> None:
    """Give the program the search path and the `sitecustomize` that it has without us."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    mine = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401 - its import is its effect
    except ImportError:
        if mine is not None:
            sys.modules["sitecustomize"] = mine


_here = os.path.dirname(os.path.abspath(__file__))
# The profile first: the dump is chained to the handler that it installs.
for _step, _needs in ((_profile, "FLATWATER_PROFILE"), (_register, "FLATWATER_TRACE")):
    try:
        if os.environ.get(_needs):
            _step()
    except Exception:  # noqa: BLE001, S110 - the program must run as it would without us
        pass
_chain(_here)
