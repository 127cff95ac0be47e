"""cli.leaving: SIGTERM and SIGHUP end a command in order, and what was set before is kept."""

from __future__ import annotations

import os
import signal

import click
import pytest

from flatwater.cli.leaving import leaving_on_signals

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signals on this platform")


@pytest.fixture
def context():
    """What a command is given."""
    return click.Context(click.Command("trial"))


@pytest.fixture
def handlers():
    """The default handlers for a test, and those that were there afterwards."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_it_unwinds_and_says_which(context, number, code):
    """What stands in `finally` is done, also where Exception is caught on the way; the code is 128 + the signal."""
    done = []

    def work():
        with leaving_on_signals(context):
            try:
                os.kill(os.getpid(), number)
            except Exception:
                done.append("taken for an error")
            finally:
                done.append("tidied up")

    with pytest.raises(click.exceptions.Exit) as end:
        work()
    assert end.value.exit_code == code
    assert done == ["tidied up"]
    assert signal.getsignal(number) == signal.SIG_DFL


@pytest.mark.usefixtures("handlers")
def test_a_second_signal_does_not_disturb_tidying_up(context):
    """A terminal that closes sends several: the first decides, and the rest of the way out is not cut short."""
    done = []

    def work():
        with leaving_on_signals(context):
            try:
                os.kill(os.getpid(), signal.SIGHUP)
            finally:
                os.kill(os.getpid(), signal.SIGHUP)
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("tidied up")

    with pytest.raises(click.exceptions.Exit) as end:
        work()
    assert (end.value.exit_code, done) == (129, ["tidied up"])


@pytest.mark.usefixtures("handlers")
def test_what_is_ignored_stays_ignored(context):
    """Below nohup SIGHUP changes nothing, inside and afterwards."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with leaving_on_signals(context):
        os.kill(os.getpid(), signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
