"""SIGTERM ends a run through the code that closes what is open."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from flatwater.pipeline.signals import ended_by_sigterm

PROGRAM = """
import asyncio, os, sys
import flatwater as fw

def source():
    try:
        for number in range(10**9):
            yield number
    finally:
        print("closed", flush=True)

def slow(number):
    if number == 50:
        print("ready", flush=True)
    return str(number)

flow = fw.Flow(source, batch_rows=10).map(slow).pmap(str.upper, workers=2).to("out.txt")
try:
    asyncio.run(flow.arun()) if sys.argv[1] == "arun" else flow.run()
finally:
    print(sorted(os.listdir(".")), flush=True)
"""


@pytest.mark.parametrize("verb", ["run", "arun"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)])
def test_a_signal_ends_a_run(tmp_path, verb, number, code):
    """The source is closed, no half of a file is left, and the exit code says which signal it was."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, verb], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout.readline() == "ready\n"
        program.send_signal(number)
        out, _err = program.communicate(timeout=60)
    assert (out.splitlines(), program.returncode) == (["closed", "[]"], code)


def test_somebodys_own_handler_stays():
    """And so does the default one, after the run; other threads change nothing."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with ended_by_sigterm():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with pytest.raises(SystemExit) as ended, ended_by_sigterm():
            os.kill(os.getpid(), signal.SIGTERM)
        assert ended.value.code == 143
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        seen = []

        def elsewhere():
            with ended_by_sigterm():
                seen.append(signal.getsignal(signal.SIGTERM))

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert seen == [signal.SIG_DFL]
    finally:
        signal.signal(signal.SIGTERM, before)
