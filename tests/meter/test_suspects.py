"""meter.suspects: a Python program that grows names its line; anything else is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from flatwater import limits
from flatwater.meter import suspects as module
from flatwater.meter.suspects import Frame, Suspects, stacks_in
from flatwater.meter.tree import Member

MIB = 1 << 20
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the reference platform")
WAITS_S = 20


class Grown:
    """What `look` needs of a member."""

    def __init__(self, pid, anon):
        self.pid, self.anon = pid, anon


@pytest.fixture
def suspects():
    watching = Suspects()
    yield watching
    watching.close()


def waiting(child):
    """The child, once it sleeps in its reading line."""
    deadline = time.monotonic() + WAITS_S
    while fields(child.pid)[0] != "S":
        assert time.monotonic() < deadline
    return child


def spinning(child, pid=None):
    """The child, once it has spun in its last line for a tick of the processor's clock."""
    deadline = time.monotonic() + WAITS_S
    begun = fields(pid or child.pid)[11]
    while fields(pid or child.pid)[11] == begun:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    return child


def fields(pid):
    """proc(5)'s stat from field 3 on: the state first, the time in the program's own code twelfth."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


@pytest.fixture
def program(tmp_path, suspects):
    """Starts a Python program that prints `ready` and then spins in a line, or sleeps, until its stdin ends."""
    started = []

    def start(code, *, name="job.py", python=(), environ=None, then=spinning, **options):
        script = tmp_path / name
        script.write_text(code)
        child = subprocess.Popen(
            [sys.executable, *python, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=suspects.environment(os.environ if environ is None else environ), **options,
        )  # fmt: skip
        started.append(child)
        assert child.stdout.readline() == "ready\n"
        return then(child)

    yield start
    for child in started:
        child.communicate()


SOURCE = "while not select.select([0], [], [], 0)[0]: pass"
# In one piece: threads that all are ready write at the same time.
SPINNING = f"import select\ndef load():\n    print('ready\\n', end='', flush=True)\n    {SOURCE}\nload()\n"
SLEEPING = SPINNING.replace("    while", "    import os; os.read(0, 1)\n    while")


def ask(suspects, *grown):
    """One look at the processes as they were, one after they grew by a MiB, and the answer awaited."""
    suspects.look([Grown(pid, 10 * MIB) for pid in grown])
    suspects.look([Grown(pid, 11 * MIB) for pid in grown])
    return answered(suspects)


def answered(suspects):
    """What is known when all that was asked has been answered."""
    deadline = time.monotonic() + WAITS_S
    while any(answers.pending for answers in suspects._answers.values()):
        assert time.monotonic() < deadline
        suspects._take_answers()
        time.sleep(limits.SAMPLE_PERIOD_S)  # as between two samples
    return suspects.top()


def test_a_grown_process_names_its_line(suspects, program):
    """The growth is booked to the program's own line, with the stack up to the module."""
    child = program(SPINNING)
    (top,) = ask(suspects, child.pid)
    assert (Path(top.frame.file).name, top.frame.line, top.frame.function) == ("job.py", 4, "load")
    assert top.frame.source == SOURCE
    assert (top.growth_bytes, top.asks, top.largest_bytes) == (MIB, 1, MIB)
    assert [frame.function for frame in top.stack][-2:] == ["load", "<module>"]
    assert suspects.growth_bytes == MIB


def test_a_process_that_does_not_grow_is_never_asked(suspects, program, monkeypatch):
    """What it starts with, and growth below half a per cent or 64 KiB, disturb nobody."""
    child = program(SPINNING)
    monkeypatch.setattr(suspects, "_ask_thread", lambda *_: pytest.fail("asked"))
    for anon in (100 * MIB, 100 * MIB + module.ASK_BYTES_MIN, 50 * MIB, 100 * MIB):
        suspects.look([Grown(child.pid, anon)])
    assert suspects.top() == []


@pytest.mark.parametrize("name", ["größe.py", "日本.py", "a b'\"c.py", "snake\U0001f40d.py"])
def test_a_file_of_any_name_is_found(suspects, program, name):
    """faulthandler escapes what is not ASCII; the name and the source line are the real ones."""
    child = program(SPINNING, name=name)
    (top,) = ask(suspects, child.pid)
    assert Path(top.frame.file).name == name
    assert top.frame.source == SOURCE


def test_few_descriptors_are_enough(suspects, program):
    """A program that may open 64 files answers as well."""
    child = program(SPINNING, preexec_fn=lambda: __import__("resource").setrlimit(7, (64, 64)))
    assert ask(suspects, child.pid)[0].frame.function == "load"


@pytest.mark.parametrize("python", [["-I"], ["-S"], ["-E"]])
def test_an_isolated_python_is_left_alone(suspects, program, python):
    """A Python that reads no PYTHONPATH, or no sitecustomize, is not signalled, and runs on."""
    child = program(SPINNING, python=python)
    assert ask(suspects, child.pid) == []
    assert suspects.growth_bytes == 0
    assert child.communicate()[0] == ""
    assert child.returncode == 0


def test_a_foreign_program_is_never_signalled(suspects, monkeypatch):
    """A program that has none of our files open is not asked, even one that ignores nothing."""
    with subprocess.Popen(["sh", "-c", "while :; do :; done"], env=suspects.environment(os.environ)) as child:
        sent = []
        monkeypatch.setattr(suspects, "_ask_thread", lambda *call: sent.append(call))
        suspects.look([Grown(child.pid, MIB)])
        suspects.look([Grown(child.pid, 9 * MIB)])
        child.kill()
    assert sent == []


def test_a_program_that_called_exec_is_not_killed(suspects, program):
    """After exec the registration is gone, and the signal is one that nobody dies of."""
    code = f"import os, sys\nos.execv(sys.executable, [sys.executable, '-I', '-c', {SPINNING + 'raise SystemExit(7)'!r}])\n"
    child = program(code)
    assert ask(suspects, child.pid) == []
    child.send_signal(signal.SIGURG)
    child.communicate()
    assert child.returncode == 7


def test_a_forked_child_answers_into_its_parents_file(suspects, program):
    """A fork has no file of its own; its answer is found, and booked to its line."""
    code = f"import os, select\npid = os.fork()\nif pid == 0:\n    print('ready', flush=True)\n    {SOURCE}\n    os._exit(0)\nos.wait()\n"
    child = program(code, then=waiting)
    (forked,) = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    spinning(child, forked)
    (top,) = ask(suspects, int(forked))
    assert top.frame.line == 5


def test_a_sleeping_process_is_asked_when_it_runs(suspects, program, monkeypatch):
    """A signal would cut its sleep short, so its growth waits, and is booked to the line that runs next."""
    child = program(SLEEPING, then=waiting)
    with monkeypatch.context() as patch:
        patch.setattr(suspects, "_ask_thread", lambda *_: pytest.fail("asked"))
        for anon in (10 * MIB, 11 * MIB, 11 * MIB, 12 * MIB):
            suspects.look([Grown(child.pid, anon)])
    assert suspects.growth_bytes == 0
    assert suspects.due_bytes > 12 * MIB  # it does not make the loop look at every sample
    child.stdin.write("\n")
    child.stdin.flush()
    spinning(child)
    suspects.look([Grown(child.pid, 12 * MIB)])
    (top,) = answered(suspects)
    assert (top.growth_bytes, top.frame.line) == (2 * MIB, 5)


def test_the_thread_that_runs_is_asked(suspects, program):
    """While the main thread waits for another one, that one's line is named."""
    call = "thread = threading.Thread(target=load)\nthread.start()\nthread.join()\n"
    child = program(WAITED_FOR + call, then=lambda child: spinning(waiting(child)))
    (top,) = ask(suspects, child.pid)
    assert (top.frame.source, top.frame.function) == (SOURCE, "load")


# The thread is ready when the main one has gone to wait for it: until then that one is running too, and would be asked.
WAITED_FOR = (
    SPINNING.removesuffix("load()\n")
    .replace(
        "import select\n",
        """import select, sys, threading
def main_calls():
    frame = sys._current_frames()[threading.main_thread().ident]
    while frame is not None:
        yield frame.f_code.co_name
        frame = frame.f_back
""",
    )
    .replace("    print(", "    while 'join' not in main_calls(): pass\n    print(")
)


READING = """import ctypes, os
def load():
    libc, place = ctypes.CDLL(None, use_errno=True), ctypes.create_string_buffer(1)
    print('ready', flush=True)
    print(*[libc.read(0, place, 1) for _ in '12'], flush=True)
load()
"""


@pytest.mark.parametrize("profiled", [False, True])
def test_a_native_read_goes_on_after_the_signal(suspects, program, tmp_path, profiled):
    """An ask that reaches a thread in a read that blocks, as one may that went to sleep meanwhile, is not seen by it."""
    environ = {**os.environ, "FLATWATER_PROFILE": str(tmp_path)} if profiled else os.environ
    child = program(READING, environ=environ, then=waiting)
    for _ in "12":
        child.send_signal(signal.SIGURG)
        time.sleep(0.01)
        waiting(child)
        child.stdin.write("x")
        child.stdin.flush()
        time.sleep(0.01)
    assert child.communicate()[0] == "1 1\n"


@pytest.mark.parametrize("threads", [0, 6])
def test_a_handler_of_the_programs_own_is_left_alone(suspects, program, threads):
    """It replaces ours, so no answer comes: after three asks of a thread, twelve of all, there are no more."""
    code = f"import signal, threading\nasked = []\nsignal.signal(signal.SIGURG, lambda *_: asked.append(1))\n{SPINNING}"
    more = f"for _ in range({threads}):\n    threading.Thread(target=load, daemon=True).start()\n"
    child = program(code.removesuffix("load()\n") + more + "load()\nprint(len(asked))\n")
    for step in range(40):
        suspects.look([Grown(child.pid, (10 + step) * MIB)])
        time.sleep(0.005)
    deadline = time.monotonic() + WAITS_S
    while suspects.growth_bytes < 39 * MIB:  # the last look may have met the moment in which the lock is handed on
        assert time.monotonic() < deadline
        suspects.look([Grown(child.pid, 49 * MIB)])
    (asked,) = [word for word in child.communicate()[0].split() if word != "ready"]
    assert 1 <= int(asked) <= (module.TRIES_MAX if threads else module.TRIES)
    assert suspects.growth_bytes == 39 * MIB
    assert suspects.top() == []


def test_an_answer_that_comes_late_is_an_answer(suspects, program):
    """A thread that was long in the kernel is asked again as soon as it has answered, and owes one answer for all asks."""
    child = program(SPINNING)
    child.send_signal(signal.SIGSTOP)
    while fields(child.pid)[0] != "T":
        pass
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_growing_threads", lambda pid: [pid])
        for step in range(10):
            suspects.look([Grown(child.pid, (10 + step) * MIB)])
    child.send_signal(signal.SIGCONT)
    (top,) = answered(suspects)
    assert (top.asks, top.growth_bytes) == (1, module.TRIES * MIB)
    suspects.look([Grown(child.pid, 20 * MIB)])
    assert answered(suspects)[0].asks == 2


@pytest.mark.parametrize(
    ("growing", "silent", "unanswered", "waits", "asked"),
    [
        ([], {}, 0, True, None),  # all sleep
        ([1], {}, 0, True, 1),
        ([1], {1: 3}, 3, True, 0),
        ([7, 8], {}, 0, True, 7),  # another thread before the main one
        ([7, 8], {7: 3}, 3, False, 8),
        ([7, 8], {7: 3}, 3, True, 1),  # the main one before more native threads
        ([7, 8], {7: 3}, 0, True, 8),
        ([7], {7: 3}, 0, True, 1),
        ([7], {7: 3, 1: 3}, 6, True, 0),
        ([7, 8], {}, 12, True, 0),
    ],
)
def test_who_is_asked(monkeypatch, growing, silent, unanswered, waits, asked):
    """Threads that grow, without those that are silent; the main one if it waits for native ones; at last nobody."""
    monkeypatch.setattr(module, "_growing_threads", lambda _pid: growing)
    monkeypatch.setattr(module, "_waits_for_a_thread", lambda _pid: waits)
    assert module._thread_to_ask(1, module._Answers(silent=silent, unanswered=unanswered)) == asked


@pytest.mark.parametrize(
    ("states", "growing"),
    [("R", [0]), ("D", [0]), ("S", []), ("T", []), ("SRD", [1, 2]), ("DSR", [2, 0]), ("RRD", [0]), ("SSS", [])],
)
def test_only_threads_that_can_grow_are_asked(monkeypatch, states, growing):
    """Running ones, then those in an uninterruptible wait, never one that sleeps or is stopped."""
    pid = os.getpid()
    threads = [pid + number for number in range(len(states))]
    monkeypatch.setattr(module.os, "listdir", lambda _path: map(str, threads))
    monkeypatch.setattr(module, "_state", lambda _pid, thread: states[thread - pid].encode())
    assert module._growing_threads(pid) == [pid + number for number in growing]


def test_a_process_that_is_gone_is_no_error(suspects, program):
    """Asking a process that ended meanwhile asks nobody, and what it owed is not booked to another."""
    child = program(SPINNING)
    suspects.look([Grown(child.pid, MIB)])
    child.communicate()
    suspects.look([Grown(child.pid, 9 * MIB)])
    suspects.look([])
    assert suspects.top() == []
    assert all(not answers.pending for answers in suspects._answers.values())


def test_ten_thousand_short_processes_leave_little(suspects):
    """Only live processes are remembered, so that the last of many is asked like the first."""
    for pid in range(10_000):
        suspects.look([Grown(4_194_304 + pid, MIB)])
    assert len(suspects._highs) == 1
    suspects.look([])
    assert suspects._highs == {}


def test_a_reused_number_is_another_process(suspects, program):
    """The highest value of a process that ended is not held against the next one of its number."""
    child = program(SPINNING)
    suspects.look([Grown(child.pid, 500 * MIB)])
    suspects.look([])
    assert ask(suspects, child.pid)


def test_the_lines_kept_are_bounded(suspects, monkeypatch):
    """Beyond the limit new lines are not added, and known ones still grow."""
    monkeypatch.setattr(limits, "RUN_SUSPECTS_KEPT_MAX", 3)
    for line in range(10):
        suspects._book([Frame("a.py", line, "f")], 10)
    suspects._book([Frame("a.py", 2, "f")], 100)
    assert [(suspect.frame.line, suspect.growth_bytes) for suspect in suspects.top()] == [(2, 110), (0, 10), (1, 10)]


def test_the_programs_own_frame_is_blamed(suspects):
    """Library frames are skipped down to the program's own; where there is none, the innermost is named."""
    library = Frame("/usr/lib/python3.11/json/decoder.py", 3, "decode")
    installed = Frame("/x/site-packages/pandas/io.py", 9, "read")
    own = Frame("/home-of/job.py", 12, "load")
    suspects._book([library, installed, own], 10)
    suspects._book([library, installed], 5)
    first, second = suspects.top()
    assert (first.frame, first.inner) == (own, library)
    assert second.frame == library


def test_the_largest_rise_gives_the_stack(suspects):
    """Of several stacks of one line the one of the largest rise is kept, cut to twelve frames."""
    own = Frame("job.py", 1, "f")
    suspects._book([own], 10)
    suspects._book([own, *(Frame("job.py", n, "g") for n in range(50))], 90)
    suspects._book([own], 20)
    (top,) = suspects.top()
    assert (top.growth_bytes, top.asks, top.largest_bytes, len(top.stack)) == (120, 3, 90, module.FRAMES_MAX)


def test_the_profilers_own_growth_is_nobodys(suspects):
    """What a profile's recorder took is neither booked nor counted."""
    suspects.growth_bytes = 10
    suspects._book([Frame(str(module._HOOK / "flatwater_profile_child.py"), 1, "look"), Frame("job.py", 1, "f")], 10)
    assert (suspects.top(), suspects.growth_bytes) == ([], 0)


@pytest.mark.parametrize(
    "text",
    [
        "", "\n\n", "garbage", '  File "a.py", line 3 in f\n', "Stack (most recent call first):\n",
        "Stack (most recent call first):\n  <no Python frame>\n", 'Stack:\n  File "a.py", line x in f\n',
        '\x00\xff\n  File "', 'Stack:\n  File "a.py", line 3\n',
    ],
)  # fmt: skip
def test_what_is_no_stack_is_no_stack(text):
    """Half a line, no frame, or bytes that a program wrote there itself make no frame and no error."""
    assert stacks_in(text) == []


def test_an_answer_that_is_being_written_is_waited_for(suspects, tmp_path):
    """A stack is written line by line: half of one is not booked, nor lost, and those before it are."""
    path = tmp_path / "answers"
    answers = suspects._answers[str(path)] = module._Answers(asked=1)
    answers.pending.extend([10, 20])
    head, frame = "Stack (most recent call first):\n", '  File "job.py", line {} in f\n'
    seen = []
    for more in (head, "", frame.format(1), head + frame.format(2)[:9], frame.format(2)[9:], ""):
        with open(path, "a") as file:
            file.write(more)
        suspects._take_answers()
        seen.append([(suspect.frame.line, suspect.growth_bytes) for suspect in suspects._by_line.values()])
    assert seen == [[], [], [], [(1, 10)], [(1, 10)], [(1, 10), (2, 20)]]
    assert not answers.pending


def test_a_line_that_is_not_known_is_zero():
    """`???` in place of a line number is line 0, whose source is empty."""
    ((frame,),) = stacks_in('Stack:\n  File "a.py", line ??? in f\n')
    assert (frame.line, frame.source) == (0, "")


def test_hostile_answers_are_bounded(suspects, program):
    """A file that grew past its bound is emptied, and reading one goes on after it."""
    child = program(SPINNING)
    suspects.look([Grown(child.pid, MIB)])
    path = suspects._answer_path(child.pid)
    with open(path, "ab") as file:
        file.write(b"x" * (limits.RUN_TRACE_BYTES_MAX + 1))
    suspects.look([Grown(child.pid, 2 * MIB)])
    suspects._take_answers()
    assert os.path.getsize(path) < 10_000
    suspects.look([])  # or the next look would ask as well, and two signals at once are one
    assert ask(suspects, child.pid)


def test_closing_removes_the_answers(suspects, program):
    """Nothing stays in the temporary folder; closing twice is fine."""
    program(SPINNING)
    assert os.listdir(suspects.directory)
    suspects.close()
    suspects.close()
    assert not os.path.exists(suspects.directory)


def test_without_a_place_for_answers_nobody_is_asked(monkeypatch):
    """Where no temporary directory can be made the program runs as without us, and the trouble is there to be told."""
    monkeypatch.setattr(tempfile, "tempdir", "/proc/no")
    suspects = Suspects()
    monkeypatch.setattr(suspects, "_ask_thread", lambda *_: pytest.fail("asked"))
    assert suspects.environment({"X": "1"}) == {"X": "1"}
    for anon in (1, 9):
        suspects.look([Grown(os.getpid(), anon * MIB)])
    assert suspects.top() == []
    assert "no suspect lines" in suspects.trouble
    assert "TMPDIR" in suspects.trouble
    suspects.close()


def test_what_a_killed_run_left_is_removed_by_the_next(monkeypatch, tmp_path):
    """Answers of a run that was killed stay no longer than until another run starts."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "flatwater-trace-left"
    left.mkdir()
    os.utime(left, (1, 1))
    Suspects().close()
    assert os.listdir(tmp_path) == []


def test_the_programs_environment_is_kept(suspects):
    """PYTHONPATH stays, after ours; all else is as it was."""
    prepared = suspects.environment({"PYTHONPATH": "/a:/b", "X": "1"})
    assert prepared["PYTHONPATH"] == f"{module._HOOK}:/a:/b"
    assert prepared["X"] == "1"
    assert suspects.environment({})["PYTHONPATH"] == str(module._HOOK)


@pytest.mark.parametrize("broken", ["missing", "file", "unwritable"])
def test_the_hook_never_harms_the_program(tmp_path, broken):
    """Whatever is wrong with our folder, the program starts, prints nothing of ours, and ends as it would."""
    place = {"missing": tmp_path / "none", "file": tmp_path / "plain", "unwritable": Path("/proc")}[broken]
    (tmp_path / "plain").write_text("")
    environ = {
        **os.environ,
        "PYTHONPATH": str(module._HOOK),
        "FLATWATER_TRACE": str(place),
        "FLATWATER_PROFILE": str(place),
    }
    code = "import sys\nx = ['row %d' % i for i in range(50_000)]\nprint(sys.path[1:2])"
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(module._HOOK) not in done.stdout


def test_a_member_of_a_tree_is_what_look_takes():
    """The two fields that `look` reads are a member's."""
    assert {"pid", "anon"} <= set(Member.__slots__)
