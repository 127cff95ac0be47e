"""worker.call: a fresh process for one call, and every way in which it can fail."""

import os
import subprocess
import sys
import time

import pytest

from flatwater import errors, worker

MIB = 1 << 20
pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need POSIX")


class Point:
    def __init__(self, x):
        self.x = x


class StubbornError(Exception):
    """Can be pickled, but not read back."""

    def __init__(self, first, second):
        super().__init__(first)


def test_a_value_comes_back():
    """Importable functions, lambdas, keyword arguments."""
    assert worker.call(sum, ([1, 2, 3],)) == 6
    assert worker.call(lambda x, y=0: x * y, (6,), {"y": 7}) == 42
    assert worker.call(len, args=[b"x" * 5_000_000]) == 5_000_000


def test_classes_of_a_main_module_come_back_as_themselves(tmp_path):
    """What a script defines is sent by value, and an instance that returns is of the script's own class."""
    script = tmp_path / "script.py"
    script.write_text(
        "from flatwater import worker\n"
        "class Point:\n    def __init__(self, x): self.x = x\n"
        "def shift(point): return Point(point.x + 1)\n"
        "if __name__ == '__main__':\n"
        "    moved = worker.call(shift, (Point(1),))\n"
        "    print(moved.x, type(moved) is Point)\n"
    )
    out = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert out.stdout == "2 True\n"


def test_modules_beside_the_script_can_be_imported(tmp_path):
    """The child has the parent's sys.path."""
    (tmp_path / "beside.py").write_text("def answer():\n    return 42\n")
    (tmp_path / "script.py").write_text(
        "import beside\nfrom flatwater import worker\nprint(worker.call(beside.answer))\n"
    )
    out = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=True, cwd="/")
    assert out.stdout == "42\n"


def test_what_it_cost():
    """The peak is the child's own, not the parent's, and the time is the call's."""
    ballast = bytearray(100 * MIB)
    outcome = worker.run(lambda: bool(bytearray(64 * MIB)))
    assert outcome.value is True
    if sys.platform == "linux":
        assert 64 * MIB < outcome.peak_rss < 95 * MIB
        assert 4 * MIB < outcome.start_rss < 30 * MIB
    assert outcome.cpu_s > 0
    assert (outcome.limit_bytes, outcome.limit_kind) == (1 << 30, "rlimit_data")
    del ballast


def test_an_error_is_raised_as_it_is_with_the_childs_traceback():
    """The caller can catch what the function raises, and see where."""

    def divide():
        return 1 / 0

    with pytest.raises(ZeroDivisionError) as caught:
        worker.call(divide)
    assert isinstance(caught.value.__cause__, worker.RemoteTraceback)
    assert "return 1 / 0" in str(caught.value.__cause__)


def test_an_error_that_cannot_be_sent_keeps_its_text():
    """Its type's name and message survive."""

    def fail():
        raise StubbornError("broken row 7", 2)

    with pytest.raises(worker.CallFailed, match="StubbornError: broken row 7"):
        worker.call(fail)


def test_over_the_limit_is_a_clear_error():
    """An allocation that does not fit is named with the limit, and the parent goes on."""
    for hungry in (lambda: bytearray(500 * MIB), lambda: [str(n) * 20 for n in range(10**7)]):
        with pytest.raises(worker.WorkerOverLimit, match=r"100 MiB \(rlimit_data\)") as caught:
            worker.call(hungry, limit="100 MiB")
        assert caught.value.limit == 100 * MIB
        assert isinstance(caught.value, errors.LimitReached)


def test_over_the_limit_of_a_cgroup():
    """Killed by the kernel's group limit is the same clear error."""
    try:
        worker.make_limit("64 MiB", kind="cgroup").close()
    except errors.BrokenError as error:
        pytest.skip(f"LOUD: no memory cgroup can be made here: {error}")
    with pytest.raises(worker.WorkerOverLimit, match="cgroup v"):
        worker.call(lambda: bytearray(500 * MIB), limit="100 MiB", limit_kind="cgroup")


def test_a_limit_below_an_interpreter():
    """A limit in which Python cannot even start is over-limit too."""
    with pytest.raises(worker.WorkerOverLimit, match="starting Python"):
        worker.call(int, limit="4 MiB")


def test_a_hang_is_killed_in_time():
    """Also one that never comes back to the interpreter."""
    for hang in (lambda: time.sleep(600), lambda: pow(7, 10**9)):
        began = time.monotonic()
        with pytest.raises(worker.WorkerTimeout, match="did not end in 500 ms"):
            worker.call(hang, timeout="500ms")
        assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("die", "words"),
    [
        (lambda: os.kill(os.getpid(), 11), "SIGSEGV"),
        (lambda: os.kill(os.getpid(), 9), "SIGKILL"),
        (lambda: os._exit(7), "exit code 7"),
        (lambda: sys.exit(3), r"sys\.exit\(3\)"),
        (lambda: os.closerange(0, 200), "exit code"),
    ],
)
def test_a_death_says_how(die, words):
    """Signal or exit code."""
    with pytest.raises(worker.WorkerDied, match=words):
        worker.call(die)


def test_a_death_shows_the_end_of_the_error_output(capfd):
    """What it said last is in the error, and on our own standard error; never more than a few KiB are kept."""

    def say():
        for number in range(20_000):
            sys.stderr.write(f"line {number}\n")
        sys.stderr.flush()
        os._exit(1)

    with pytest.raises(worker.WorkerDied) as caught:
        worker.call(say)
    assert caught.value.stderr_tail.endswith("line 19999")
    assert len(caught.value.stderr_tail) <= 8192
    assert "line 19999" in capfd.readouterr().err


def test_what_cannot_be_sent():
    """A generator neither way, and the hint says what to do."""
    with pytest.raises(worker.ResultNotPicklable, match="generator"):
        worker.call(lambda: (n for n in range(3)))
    with pytest.raises(worker.CallNotPicklable, match="cannot be sent"):
        worker.call(print, ((n for n in range(3)),))


def test_a_result_that_is_too_large():
    """It is refused before it is read."""
    with pytest.raises(errors.LimitReached, match="result is"):
        worker.call(lambda: bytes(3 * MIB), result_bytes_max="1 MiB")


@pytest.mark.parametrize("timeout", [0, -1, "soon", float("nan"), float("inf"), 10**9, True, None])
def test_a_timeout_is_a_time(timeout):
    """Nothing means for ever."""
    with pytest.raises(errors.UsageError, match="timeout"):
        worker.call(int, timeout=timeout)


@pytest.mark.parametrize(("function", "args"), [(7, ()), (None, ()), (int, "12"), (int, 12)])
def test_what_is_no_call(function, args):
    """A string of arguments is a mistake that would otherwise be spread into letters."""
    with pytest.raises(errors.UsageError):
        worker.call(function, args)


@pytest.mark.parametrize("limit", [0, -1, "12 XB", None, "1 KiB"])
def test_a_limit_is_a_size(limit):
    """Below what an interpreter takes is refused at once."""
    with pytest.raises(errors.UsageError, match="limit"):
        worker.call(int, limit=limit)


@pytest.mark.parametrize("closed", ["0", "1", "2", "01", "012"])
def test_standard_descriptors_may_be_closed(closed):
    """A daemon without descriptors 0, 1 or 2 has workers, and in these all three are taken."""
    program = f"""
import os
out = os.fdopen(os.dup(1), "w") if {"1" in closed} else os.fdopen(1, "w", closefd=False)
for number in {closed!r}: os.close(int(number))
from flatwater import worker
def say():
    for number in (1, 2): os.write(number, b"noise")
    return os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd") else "012"
with worker.Worker() as process:
    process.run(int)
    files = [open(os.devnull, "wb") for _ in "012"]
    print(*sorted(process.run(say).value)[:3], {closed!r}, file=out, flush=True)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert ended.stderr == ("" if "2" in closed else "noise")
    assert ended.stdout == ("" if "1" in closed else "noise") + f"0 1 2 {closed}\n"


def test_the_childs_errors_go_to_no_file_that_became_descriptor_2(tmp_path):
    """Standard error was closed, and the next file that was opened got its number: it is not written into."""
    data = tmp_path / "data"
    program = f"""
import os
os.close(2)
file = open({str(data)!r}, "w")
assert file.fileno() == 2
from flatwater import worker
with worker.Worker() as process:
    process.run(os.write, (2, b"noise"))
    process.run(os.write, (2, b"noise"))
    process._handle.kill()
file.write("ours")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, data.read_text()) == (0, "ours")


def test_grandchildren_end_with_the_worker():
    """A process that the call started and left behind is gone when the call is."""

    def leave_one():
        return subprocess.Popen(["sleep", "600"]).pid

    pid = worker.call(leave_one)
    deadline = time.monotonic() + 20
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
