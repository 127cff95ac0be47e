"""watch.onlooking: processes that somebody else started."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from flatwater import errors
from flatwater.units import MIB
from flatwater.watch.onlooking import Onlooker


@pytest.fixture
def program():
    """A process that holds 32 MiB and waits for a line; it has a child that waits as well."""
    text = "import os, sys\nheld = bytearray(b'x') * (32 << 20)\nchild = os.fork()\nprint('ready', flush=True) if child else None\nsys.stdin.readline()"
    process = subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_a_process_is_seen_with_its_children(program):
    """Sizes, how many there are, a limit that somebody names."""
    with Onlooker(program.pid) as seen:
        assert seen.look()
        assert seen.processes == 2
        assert seen.anon > 32 * MIB
        assert seen.limit_bytes > 0
        assert seen.limit_source
        assert "python" in seen.name
        assert seen.forecast.words


def test_alone_it_is_seen_alone(program):
    """Its children do not count."""
    with Onlooker(program.pid, alone=True, limit_bytes=64 * MIB) as seen:
        assert seen.look()
        assert (seen.processes, seen.limit_bytes, seen.limit_source) == (1, 64 * MIB, "--budget")
        assert seen.rss > 32 * MIB


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc of Linux")
def test_its_own_rlimit_counts():
    """Not that of who looks: the least of what the kernel enforces for the process that is watched."""
    text = "import resource, sys; resource.setrlimit(resource.RLIMIT_DATA, (200 << 20, 300 << 20)); print('ready', flush=True); sys.stdin.readline()"
    process = subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        with Onlooker(process.pid) as seen:
            assert seen.limit_bytes <= 200 * MIB
            assert seen.limit_source == "RLIMIT_DATA" or seen.limit_bytes < 200 * MIB
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_the_end_is_seen(program):
    """Nothing is read of who gets its number later."""
    with Onlooker(program.pid) as seen:
        assert seen.look()
        program.kill()
        program.wait()
        assert not seen.look()
        assert seen.has_ended


def test_who_waits_to_be_asked_for_has_ended():
    """A zombie has no memory."""
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})
    try:
        while True:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    break
        with pytest.raises(errors.UsageError, match="has ended"):
            Onlooker(pid)
    finally:
        os.waitpid(pid, 0)


def test_nobody_is_there():
    """Said, with what to do."""
    with pytest.raises(errors.UsageError, match="there is no process") as raised:
        Onlooker(2**22 + 5)
    assert raised.value.hint


def test_what_it_holds_is_bounded(program):
    """A history of so many points."""
    with Onlooker(program.pid) as seen:
        assert seen.bytes_max() < 64 * 1024


def test_a_terminal_obeys_nothing_of_a_name():
    """An argument may be anything."""
    text = "import sys; print('ready', flush=True); sys.stdin.readline()"
    process = subprocess.Popen(
        [sys.executable, "-c", text, "\x1b[31mred\x1b]0;title\x07\nrow"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        with Onlooker(process.pid) as seen:
            assert seen.name.isprintable()
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
