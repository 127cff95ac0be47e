import os
import pickle
import subprocess
import sys
import threading

import pytest

from flatwater.worker import child

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need POSIX")


def test_frames_survive_any_size():
    """What is written is read back, also beyond a pipe's own size, and the end of the pipe is None."""
    read, write = os.pipe()
    for size in (0, 1, 65_536, 3_000_000):
        payload = os.urandom(size)
        writer = threading.Thread(target=child.write_frames, args=(write, payload))
        writer.start()
        assert child.read_frame(read) == payload
        writer.join()
    os.write(write, child.HEADER.pack(10) + b"half")
    os.close(write)
    assert child.read_frame(read) is None
    assert child.read_frame(read) is None
    os.close(read)


def test_it_imports_nothing_of_ours():
    """A worker starts as small as an interpreter: neither Flatwater nor cloudpickle is loaded for a plain call."""
    from flatwater import worker

    loaded = worker.call(eval, ("sorted(__import__('sys').modules)",))
    assert not [name for name in loaded if name.startswith(("flatwater", "cloudpickle", "numpy", "click"))]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread waits, which needs the interpreter")
def test_it_dies_with_its_parent_whatever_it_does():
    """kill -9 of the parent ends a child that is busy in native code, and one that ignores signals."""
    program = """
import os, signal, sys, threading, time
from flatwater.worker import Worker
def busy():
    signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGIO, signal.SIG_IGN)
    return pow(7, 10**10)
worker = Worker()
worker.run(int)
print(worker.pid, flush=True)
worker.run(busy)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    pause = threading.Event()
    pause.wait(0.5)
    assert os.path.exists(f"/proc/{pid}")
    parent.kill()
    parent.wait()
    parent.stdout.close()
    left = 2_000
    while is_alive(pid):
        assert left, f"process {pid} outlived its parent"
        left -= 1
        pause.wait(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_it_dies_with_its_parent_though_a_forked_process_lives():
    """A process that the parent forked keeps no copy of the lifeline."""
    program = """
import os, sys
from flatwater.worker import Worker
worker = Worker()
worker.run(int)
if not os.fork():
    sys.stdin.read()
    os._exit(0)
print(worker.pid, flush=True)
worker.run(pow, (7, 10**10))
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    pause = threading.Event()
    left = 2_000
    while is_alive(pid):
        assert left, f"process {pid} outlived its parent"
        left -= 1
        pause.wait(0.005)
    parent.stdin.close()  # the forked process ends
    parent.stdout.close()


def test_the_thread_that_started_it_may_end():
    """It dies with the process, not with a thread of it."""
    from flatwater.worker import Worker

    workers = []
    thread = threading.Thread(target=lambda: workers.append(Worker()) or workers[0].run(int))
    thread.start()
    thread.join()
    with workers[0] as started:
        assert started.run(os.getpid).value == started.pid


def test_what_it_answers_is_a_dict_and_a_payload():
    """The protocol, spoken by hand."""
    requests_read, requests = os.pipe()
    results, results_write = os.pipe()
    lifeline_read, lifeline = os.pipe()
    theirs = (requests_read, results_write, lifeline_read)
    process = subprocess.Popen([sys.executable, "-P", child.__file__, *map(str, theirs), "0", ""], pass_fds=theirs)
    for descriptor in theirs:
        os.close(descriptor)
    child.write_frames(requests, pickle.dumps(list(sys.path)))
    assert pickle.loads(child.read_frame(results))["kind"] == child.READY
    child.read_frame(results)
    child.write_frames(requests, pickle.dumps((abs, (-3,), {})))
    cost, value = pickle.loads(child.read_frame(results)), pickle.loads(child.read_frame(results))
    assert (cost["kind"], value) == (child.VALUE, 3)
    child.write_frames(requests, b"not a pickle")
    assert pickle.loads(child.read_frame(results))["kind"] == child.UNREADABLE
    for descriptor in (requests, results):
        os.close(descriptor)
    assert process.wait(30) is not None
    os.close(lifeline)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
