"""cli.leaving: SIGTERM and SIGHUP end a command in order, and what was set before is kept."""

from __future__ import annotations

import os
import signal

import click
import pytest

from flatwater.cli import leaving
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
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
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


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand: its only entry is the time."""
    now = [1000.0]
    monkeypatch.setattr(leaving.time, "monotonic", lambda: now[0])
    return now


def sent(*numbers):
    """Signals, one after the other, to this process."""
    for number in numbers:
        os.kill(os.getpid(), number)


@pytest.mark.usefixtures("handlers", "clock")
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_second_signal_does_not_disturb_tidying_up(context, number):
    """A terminal that closes sends several: the first decides, and the rest of the way out is not cut short."""
    done = []

    def work():
        with leaving_on_signals(context):
            try:
                sent(number)
            finally:
                sent(signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
                done.append("tidied up")

    with pytest.raises(click.exceptions.Exit) as end:
        work()
    assert (end.value.exit_code, done) == (128 + number, ["tidied up"])


@pytest.mark.usefixtures("handlers", "clock")
def test_ctrl_c_again_does_not_disturb_tidying_up(context):
    """It stays the plain interrupt that it is, whatever follows; afterwards the handler is that from before."""
    done = []

    def work():
        with leaving_on_signals(context):
            try:
                sent(signal.SIGINT)
            finally:
                sent(signal.SIGINT, signal.SIGINT, signal.SIGTERM)
                done.append("tidied up")

    with pytest.raises(KeyboardInterrupt) as end:
        work()
    assert (type(end.value), done) == (KeyboardInterrupt, ["tidied up"])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, click.exceptions.Exit)]
)
def test_what_hangs_can_be_ended(context, clock, number, raised):
    """Some seconds later a signal counts again, and what is behind it has its own time."""
    done = []

    def work():
        with leaving_on_signals(context):
            try:
                try:
                    sent(signal.SIGINT)
                finally:
                    clock[0] += leaving.AGAIN_S
                    sent(number)
                    done.append("what hangs")
            finally:
                sent(number)
                done.append("tidied up")

    with pytest.raises(raised) as end:
        work()
    assert done == ["tidied up"]
    assert getattr(end.value, "exit_code", 143) == 143


@pytest.mark.usefixtures("handlers", "clock")
def test_in_a_shell_each_ctrl_c_counts(context):
    """It ends what the shell is doing, so that the next one is no second one."""
    heard = []
    with leaving_on_signals(context, interrupts=False):
        for _ in range(2):
            try:
                sent(signal.SIGINT)
            except KeyboardInterrupt:
                heard.append("ended")
    assert heard == ["ended", "ended"]


@pytest.mark.usefixtures("handlers")
def test_what_is_ignored_stays_ignored(context):
    """Below nohup SIGHUP changes nothing, inside and afterwards."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with leaving_on_signals(context):
        os.kill(os.getpid(), signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
