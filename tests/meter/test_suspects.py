"""meter.suspects: a Python program that grows names its line; anything else is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
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


def waiting(child, pid=None):
    """The child, once it sleeps in its reading line."""
    deadline = time.monotonic() + WAITS_S
    while Path(f"/proc/{pid or child.pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        assert time.monotonic() < deadline
    return child


@pytest.fixture
def program(tmp_path, suspects):
    """Starts a Python program that prints `ready` and then waits in a line for its stdin to end."""
    started = []

    def start(code, *, name="job.py", python=(), environ=None, **options):
        script = tmp_path / name
        script.write_text(code)
        child = subprocess.Popen(
            [sys.executable, *python, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=suspects.environment(os.environ if environ is None else environ), **options,
        )  # fmt: skip
        started.append(child)
        assert child.stdout.readline() == "ready\n"
        return waiting(child)

    yield start
    for child in started:
        child.communicate()


WAITING = "import sys\ndef load():\n    print('ready', flush=True)\n    sys.stdin.read()\nload()\n"


def ask(suspects, *grown):
    """One look at the processes as they were, one after they grew by a MiB, and the answer awaited."""
    suspects.look([Grown(pid, 10 * MIB) for pid in grown])
    suspects.look([Grown(pid, 11 * MIB) for pid in grown])
    deadline = time.monotonic() + WAITS_S
    while any(answers.pending for answers in suspects._answers.values()):
        assert time.monotonic() < deadline
        suspects._take_answers()
        time.sleep(limits.SAMPLE_PERIOD_S)  # as between two samples
    return suspects.top()


def test_a_grown_process_names_its_line(suspects, program):
    """The growth is booked to the program's own line, with the stack up to the module."""
    child = program(WAITING)
    (top,) = ask(suspects, child.pid)
    assert (Path(top.frame.file).name, top.frame.line, top.frame.function) == ("job.py", 4, "load")
    assert top.frame.source == "sys.stdin.read()"
    assert (top.growth_bytes, top.asks, top.largest_bytes) == (MIB, 1, MIB)
    assert [frame.function for frame in top.stack][-2:] == ["load", "<module>"]
    assert suspects.growth_bytes == suspects.answered_bytes == MIB


def test_a_process_that_does_not_grow_is_never_asked(suspects, program, monkeypatch):
    """What it starts with, and growth below half a per cent or 64 KiB, disturb nobody."""
    child = program(WAITING)
    monkeypatch.setattr(suspects, "_ask_thread", lambda *_: pytest.fail("asked"))
    for anon in (100 * MIB, 100 * MIB + module.ASK_BYTES_MIN, 50 * MIB, 100 * MIB):
        suspects.look([Grown(child.pid, anon)])
    assert suspects.top() == []


@pytest.mark.parametrize("name", ["größe.py", "日本.py", "a b'\"c.py", "snake\U0001f40d.py"])
def test_a_file_of_any_name_is_found(suspects, program, name):
    """faulthandler escapes what is not ASCII; the name and the source line are the real ones."""
    child = program(WAITING, name=name)
    (top,) = ask(suspects, child.pid)
    assert Path(top.frame.file).name == name
    assert top.frame.source == "sys.stdin.read()"


def test_few_descriptors_are_enough(suspects, program):
    """A program that may open 64 files answers as well."""
    child = program(WAITING, preexec_fn=lambda: __import__("resource").setrlimit(7, (64, 64)))
    assert ask(suspects, child.pid)[0].frame.function == "load"


@pytest.mark.parametrize("python", [["-I"], ["-S"], ["-E"]])
def test_an_isolated_python_is_left_alone(suspects, program, python):
    """A Python that reads no PYTHONPATH, or no sitecustomize, is not signalled, and runs on."""
    child = program(WAITING, python=python)
    assert ask(suspects, child.pid) == []
    assert suspects.growth_bytes == 0
    assert child.communicate()[0] == ""
    assert child.returncode == 0


def test_a_foreign_program_is_never_signalled(suspects, monkeypatch):
    """A program that has none of our files open is not asked, even one that ignores nothing."""
    with subprocess.Popen(["sleep", "30"], env=suspects.environment(os.environ)) as child:
        sent = []
        monkeypatch.setattr(suspects, "_ask_thread", lambda *call: sent.append(call))
        suspects.look([Grown(child.pid, MIB)])
        suspects.look([Grown(child.pid, 9 * MIB)])
        child.kill()
    assert sent == []


def test_a_program_that_called_exec_is_not_killed(suspects, program):
    """After exec the registration is gone, and the signal is one that nobody dies of."""
    child = program("import os\nos.execvp('sh', ['sh', '-c', 'echo ready; read line; exit 7'])\n")
    assert ask(suspects, child.pid) == []
    child.send_signal(signal.SIGURG)
    child.communicate()
    assert child.returncode == 7


def test_a_forked_child_answers_into_its_parents_file(suspects, program):
    """A fork has no file of its own; its answer is found, and booked to its line."""
    code = "import os, sys\npid = os.fork()\nif pid == 0:\n    print('ready', flush=True)\n    sys.stdin.read()\n    os._exit(0)\nos.wait()\n"
    child = program(code)
    (forked,) = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    waiting(child, forked)
    (top,) = ask(suspects, int(forked))
    assert top.frame.line == 5


def test_a_process_that_is_gone_is_no_error(suspects, program):
    """Asking a process that ended meanwhile asks nobody, and what it owed is not booked to another."""
    child = program(WAITING)
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
    child = program(WAITING)
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
    child = program(WAITING)
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
    program(WAITING)
    assert os.listdir(suspects.directory)
    suspects.close()
    suspects.close()
    assert not os.path.exists(suspects.directory)


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
