"""proof.leaks.figures: threads, descriptors and bytes after a round."""

from __future__ import annotations

import array
import ctypes
import os
import socket
import threading

from flatwater.proof.leaks import figures


def test_threads_by_what_they_run():
    """Two threads with one target count as two of it; a subclass goes by its name."""
    stop = threading.Event()

    class Pump(threading.Thread):
        def run(self):
            stop.wait()

    threads = [threading.Thread(target=stop.wait), threading.Thread(target=stop.wait), Pump()]
    for thread in threads:
        thread.start()
    try:
        found = figures.threads()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert found["threading.Event.wait"] == 2
    assert next(count for name, count in found.items() if name.endswith("Pump")) == 1


def test_descriptors_by_what_they_are(tmp_path):
    """A file tells its path, a socket that it is one; closed ones are gone."""
    path = tmp_path / "data.txt"
    path.write_text("x")
    before = figures.descriptors()
    with path.open() as file, socket.socket() as sock:
        after = figures.descriptors()
        new = {number: after[number] for number in after.keys() - before.keys()}
        assert new[file.fileno()][0] == "file"
        assert new[sock.fileno()][0] == "socket"
        counts, earlier = figures.descriptors_by_kind(after), figures.descriptors_by_kind(before)
        assert counts["file"] == earlier.get("file", 0) + 1
        if os.path.exists("/proc/self/fd"):
            assert new[file.fileno()][1] == str(path)
    assert figures.descriptors().keys() == before.keys()


def test_sizes_are_exact():
    """64 KiB from malloc show to the byte but for its rounding, and are gone when they are freed."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = (ctypes.c_void_p,)
    before, between, after = (array.array("q", [0] * len(figures.SIZES)) for _ in range(3))
    figures.read_sizes(before)
    found = []
    for _ in range(3):  # the interpreter takes and gives some bytes of its own now and then
        figures.read_sizes(before)
        block = libc.malloc(ctypes.c_size_t(65536))
        figures.read_sizes(between)
        libc.free(block)
        figures.read_sizes(after)
        found.append((65536 <= between[1] - before[1] <= 65536 + 64, after[1] - before[1]))
    assert (True, 0) in found
    assert before[2] > 0


def test_small_blocks_show():
    """Of each small size, a block a round shows in nearly each round, and one that is freed in none."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = (ctypes.c_void_p,)
    before, after = (array.array("q", [0] * len(figures.SIZES)) for _ in range(2))
    sizes = (64, 100, 500, 1000)
    rounds = 60
    grown = array.array("q", [0] * rounds)
    kept = (ctypes.c_void_p * rounds)()
    for index in range(rounds):
        size = ctypes.c_size_t(sizes[index % len(sizes)])
        figures.read_sizes(before)
        libc.free(libc.malloc(size))
        kept[index] = libc.malloc(size)
        figures.read_sizes(after)
        grown[index] = after[1] - before[1]
    for block in kept:
        libc.free(block)
    seen = [0 < grown[index] - sizes[index % len(sizes)] <= 64 for index in range(rounds)]
    assert seen.count(True) > rounds * 3 // 4, list(grown)


def test_what_is_outside_of_objects():
    """A child that has ended, and that nobody waits for, counts as one more until somebody does."""
    before = figures.kept()
    child = os.fork()
    if not child:
        os._exit(0)
    try:
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        between = figures.kept()
    finally:
        os.waitpid(child, 0)
    after = figures.kept()
    assert [now[figures.CHILDREN] - before[figures.CHILDREN] for now in (between, after)] == [1, 0]
