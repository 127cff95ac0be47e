"""Where the `flatwater` command begins: Ctrl-C ends it quietly even while Python still imports the rest.

Covers:     the console script and `python -m flatwater`; Ctrl-C before and after the work.
Not here:   options, errors, exit codes (`cli.main`).
Holds:      nothing.

Imports take longer than people need to change their mind. There is nothing to tidy up yet, and an exception that starts in
the middle of an import comes out as whatever that import makes of it, so the handler ends the process itself.
"""

from __future__ import annotations

import os

INTERRUPTED = 130  # 128 + SIGINT, as shells say


def entry() -> None:
    """Run the command line."""
    try:
        import signal  # milliseconds in which Ctrl-C comes as well

        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # nohup and background jobs ignore it
            signal.signal(signal.SIGINT, _leave)
        from flatwater.cli.main import main

        try:
            main()
        finally:
            signal.signal(
                signal.SIGINT, signal.SIG_IGN
            )  # all is said and done, but the interpreter takes its time to end
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)


def hear_interrupts() -> None:
    """From here on Ctrl-C is a KeyboardInterrupt again: there is work that wants an orderly end."""
    import signal

    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(_number: int, _frame: object) -> None:
    os._exit(INTERRUPTED)
