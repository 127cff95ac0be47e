"""proof.child: one call in a process of its own, and how it is told that there was none."""

from __future__ import annotations

import os

import pytest

from flatwater.proof.runs import Run, child_run
from flatwater.proof.scenarios import scenario_of

MIB = 1 << 20

SCENARIOS = """
import os, sys, functools

def flat(n): return sum(range(n))
def holds(n): return bytearray(n * 1000)
def frees(n): len(bytearray(n * 1000))

class Loader:
    def __call__(self, n): return n
    @classmethod
    def made(cls, n): return n
class Made:
    def __init__(self, n): self.rows = [0] * n
loader = Loader()
partial = functools.partial(lambda step, n: n, 1)
number = 3
shadow = lambda n: n
cached = functools.lru_cache(flat)

def decorated(function):
    @functools.wraps(function)
    def wrapper(*args): return function(*args)
    return wrapper
@decorated
def wrapped(n): return n

@decorated
async def wrapped_async(n): return n

async def waits(n):
    import asyncio; await asyncio.sleep(0)
    return n

def star(*args): return args
def keyword(*, n): return n
def two(n, m): return n
def no_n(): return 1

def generator(n): yield from range(n)
def lazy(n): return map(str, range(n))
async def async_generator(n):
    yield n
def coroutine(n): return waits(n)

def raises(n): raise ValueError(f"no {n}")
class Unprintable(Exception):
    def __str__(self): raise RuntimeError
def unprintable(n): raise Unprintable(n)
def exits(n): sys.exit(n)
def exits_well(n): sys.exit(0 * n)
def interrupted(n): raise KeyboardInterrupt(n)
def no_memory(n): raise MemoryError(n)
def too_deep(n): return too_deep(n + 1)
def hooked(n):
    sys.excepthook = sys.stderr = None
    raise ValueError(n)
def dies(n): os._exit(n * 0)
def segfaults(n): import ctypes; ctypes.string_at(n * 0)
def becomes_another(n): os.execvp("true", ["true", str(n)])

def forks(n):
    if os.fork() == 0: os._exit(n * 0)
    os.wait()
def forks_and_forgets(n):
    pid = os.fork()
    if pid == 0: os._exit(n * 0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
def forks_and_returns(n): os.fork(); return n
def runs_another(n): import subprocess; return subprocess.run(["true", str(n)])
def leaves_a_child(n): import subprocess; return subprocess.Popen(["sleep", "1000" if n else "1"]).pid
def leaves_a_daemon(n):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0: os.execvp("sleep", ["sleep", str(n)])
        os._exit(0)
    os.wait()

def spins(n):
    while True: n
def daemon_works(n): import threading; threading.Thread(target=spins, args=(n,), daemon=True).start()
def daemon_waits(n): import threading, time; threading.Thread(target=time.sleep, args=(1000 * n,), daemon=True).start()
def daemon_tidies_up(n):
    import threading, time
    def tidy():
        until_s = time.process_time() + 0.05
        while time.process_time() < until_s: pass
        time.sleep(1000)
    threading.Thread(target=tidy, daemon=True).start()
def sampler_stays(n): import threading; threading.Thread(target=spins, args=(n,), name="flatwater-measure", daemon=True).start()
def thread_works(n): import threading, time; threading.Thread(target=time.sleep, args=(1000 * n,), name="loading").start()
def thread_ends(n): import threading, time; threading.Thread(target=time.sleep, args=(n * 1e-5,)).start()
def pool_works(n): import concurrent.futures, time; concurrent.futures.ThreadPoolExecutor(1).submit(time.sleep, 1000 * n)
kept = []
def pool_idles(n):
    import concurrent.futures
    kept.append(concurrent.futures.ThreadPoolExecutor(1))
    return kept[0].submit(flat, n).result()

async def leaves_a_task(n):
    import asyncio; asyncio.create_task(asyncio.sleep(n), name="loading")
async def task_ends(n):
    import asyncio; asyncio.create_task(asyncio.sleep(n * 1e-5))
def forks_unseen(n):
    import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if os.fork() == 0: os._exit(n * 0)
def shares(n):
    from multiprocessing.shared_memory import SharedMemory
    memory = SharedMemory(create=True, size=n); memory.close(); memory.unlink()
def spawns(n):
    import multiprocessing
    process = multiprocessing.get_context("spawn").Process(target=flat, args=(n,)); process.start(); process.join()
def returns_a_cursor(n):
    import sqlite3
    base = sqlite3.connect(":memory:"); base.execute("CREATE TABLE rows (number)")
    return base.executemany("INSERT INTO rows VALUES (?)", ((i,) for i in range(n)))
def returns_a_query(n):
    import sqlite3
    return sqlite3.connect(":memory:").execute("SELECT ?", (n,))
def returns_a_file(n):
    import gzip, tempfile
    return gzip.open(os.path.join(tempfile.gettempdir(), str(n)), "wb")
def stops_the_clock(n):
    import time
    time.perf_counter = time.process_time = time.monotonic = lambda: 1 / (n * 0)
def clears_the_folder(n):
    import shutil, tempfile; shutil.rmtree(tempfile.gettempdir()); return n
def works_at_exit(n):
    import atexit; atexit.register(lambda: bytearray(b"x") * (n * 100_000))
def shared_pages(n):
    import mmap
    memory = mmap.mmap(-1, n * 100_000)
    for at in range(0, len(memory), 4096): memory[at] = 1

def closes_all(n): os.closerange(0, 200); return n
def empties_the_path(n): del sys.path[:]; return n
def moves(n): os.chdir("/"); return n
def writes_to_ours(n):
    import tempfile
    with open(os.path.join(tempfile.gettempdir(), "said"), "ab") as file:
        file.write(b"\\nnonsense\\n[1]\\n{}\\n" + b"3\\n" * n)
def uses_us(n):
    import flatwater as fw
    with fw.Budget("64 MiB") as budget, fw.measure("inside"), budget.reserve(n, "me"):
        return bytearray(n)
def is_quiet(n):
    sys.stdout = sys.stderr = None
    return n
def takes_made(n, made): return made
def may_take_made(n, batch=7):
    assert batch is not None
    return n
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a file of many scenarios in it."""
    folder = tmp_path_factory.mktemp("child")
    (folder / "jobs.py").write_text(SCENARIOS)
    return folder


def said_of(scenario, *, n=1000, made="", timeout_s=30):
    """What the child's side says about one call, and how its process ended."""
    request = {"make": False, "scenario": scenario_of(scenario).target, "n": n, "made": made}
    with child_run(request) as (argv, folder):
        seen = Run(argv, folder=folder, timeout_s=timeout_s, memory_bytes=1 << 40).run()
    return seen.said, seen


@pytest.mark.parametrize(
    "name",
    [
        "loader", "Loader.made", "Made", "partial", "cached", "waits", "wrapped_async", "star", "daemon_waits", "daemon_tidies_up", "thread_ends", "sampler_stays",
        "task_ends", "shares", "returns_a_cursor", "returns_a_file", "stops_the_clock", "clears_the_folder", "pool_idles", "closes_all", "empties_the_path", "moves", "writes_to_ours", "uses_us", "is_quiet",
    ],
)  # fmt: skip
def test_what_can_be_measured(place, name):
    """Every kind of callable, and what a scenario may do to its process: the call began and ended."""
    said, seen = said_of(f"{place / 'jobs.py'}::{name}")
    assert "failed" not in said, said
    assert said["ended"]["peak"] >= said["began"]["rss"] > MIB
    assert said["ended"]["wall_s"] >= 0 <= said["ended"]["cpu_s"]
    assert seen.exit.exit_code == 0
    assert seen.left_behind == []


@pytest.mark.parametrize(
    ("name", "stage", "what"),
    [
        ("nothing", "name", "AttributeError: module 'jobs' has no attribute 'nothing'"),
        ("number", "name", "it is an int, which cannot be called"),
        ("no_n", "signature", "it is called with n, and its signature is ()"),
        ("keyword", "signature", "its signature is (*, n)"),
        ("takes_made", "signature", "its signature is (n, made)"),
        ("generator", "undone", "it returned a generator that nobody has run through"),
        ("lazy", "undone", "it returned a map that nobody has run through"),
        ("async_generator", "undone", "it returned an async_generator that nobody has run through"),
        ("coroutine", "undone", "it returned a coroutine that nobody has awaited"),
        ("returns_a_query", "undone", "it returned a Cursor that nobody has run through"),
        ("leaves_a_task", "undone", "it returned while its task 'loading' still ran"),
        ("daemon_works", "undone", "it returned while a thread that it started still works"),
        ("thread_works", "undone", "it returned while its thread 'loading' still ran"),
        ("pool_works", "undone", "it returned while its thread 'ThreadPoolExecutor-0_0' still ran"),
        ("raises", "scenario", "ValueError: no 1000"),
        ("unprintable", "scenario", "Unprintable: (it cannot even be printed)"),
        ("exits", "scenario", "it called sys.exit(1000)"),
        ("interrupted", "scenario", "KeyboardInterrupt: 1000"),
        ("no_memory", "memory", "MemoryError: 1000"),
        ("too_deep", "scenario", "RecursionError: maximum recursion depth exceeded"),
        ("hooked", "scenario", "ValueError: 1000"),
        ("forks", "forked", "it started other processes"),
        ("forks_and_forgets", "forked", "it started other processes"),
        ("spawns", "forked", "it started other processes"),
        ("leaves_a_child", "children", "it left 1 child process running (pid "),
        ("leaves_a_daemon", "forked", "it started other processes"),
    ],
)
def test_what_cannot(place, name, stage, what):
    """A scenario that takes no n, fails, or does its work elsewhere is told apart, in words."""
    said, seen = said_of(f"{place / 'jobs.py'}::{name}")
    assert "ended" not in said
    assert said["failed"]["stage"] == stage
    assert what in said["failed"]["what"]
    assert seen.exit is None or seen.exit.exit_code == 1
    assert "child.py" not in said["failed"]["traceback"]


def test_what_is_left_for_the_end_counts(place):
    """What it registered with atexit is run, and is in the peak."""
    said, _seen = said_of(f"{place / 'jobs.py'}::works_at_exit", n=200)
    assert said["ended"]["peak"] - said["began"]["rss"] > 18 * MIB


def test_shared_pages_are_anonymous_memory(place):
    """No file is behind them: the kernel cannot take them back."""
    said, _seen = said_of(f"{place / 'jobs.py'}::shared_pages", n=300)
    assert said["ended"]["peak"] - said["began"]["rss"] > 28 * MIB


@pytest.mark.parametrize("name", ["forks_and_returns", "forks_unseen"])
def test_one_that_returns_twice(place, name):
    """A forked process that comes back from the call, or that the kernel was told to forget, is told all the same."""
    said, seen = said_of(f"{place / 'jobs.py'}::{name}")
    assert said["failed"]["stage"] in {"forked", "children"}
    assert seen.exit is not None


@pytest.mark.parametrize(
    ("name", "code", "signal"), [("dies", 0, 0), ("segfaults", 139, 11), ("becomes_another", 0, 0)]
)
def test_one_that_ends_its_process(place, name, code, signal):
    """Nothing is said but that it began; the exit tells."""
    said, seen = said_of(f"{place / 'jobs.py'}::{name}")
    assert set(said) == {"loaded", "began"}
    assert (seen.exit.exit_code, seen.exit.signal) == (code, signal)


def test_one_that_never_reads_its_n():
    """It is told before it is called; where a set-up made something of n, nobody can tell."""
    said, _seen = said_of(lambda n: 1)
    assert said["loaded"]["reads_n"] is False


def test_the_peak_is_of_the_call(place):
    """What it holds and frees within is in the peak, and what was before is the base."""
    for name in ("holds", "frees"):
        said, _seen = said_of(f"{place / 'jobs.py'}::{name}", n=50_000)
        assert 47 * MIB < said["ended"]["peak"] - said["began"]["rss"] < 50 * MIB


def test_imports_and_what_they_free_are_not(tmp_path):
    """A module that needs much memory for a moment when it is imported does not show in the peak."""
    path = tmp_path / "jobs.py"
    path.write_text("data = bytearray(64 << 20)\ndel data\ndef load(n): return n\n")
    said, _seen = said_of(f"{path}::load")
    assert said["ended"]["peak"] < 32 * MIB


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import nothing_like_it", "ModuleNotFoundError: No module named 'nothing_like_it'"),
        ("import os\nos.nothing", "AttributeError: module 'os' has no attribute 'nothing'"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("def broken(n: return", "SyntaxError: invalid syntax (jobs.py, line 1)"),
        ("from . import beside", "ImportError: attempted relative import"),
        ("import sys\ndel sys.path[:]\nimport decimal", "No module named 'decimal'"),
    ],
)
def test_what_cannot_be_imported(tmp_path, text, what):
    """Whatever an import raises is told, with the user's lines of the traceback and no others."""
    path = tmp_path / "jobs.py"
    path.write_text(f"{text}\ndef load(n): return n\n")
    said, _seen = said_of(f"{path}::load")
    assert said["failed"]["stage"] == "import"
    assert what in said["failed"]["what"]
    assert "child.py" not in said["failed"]["traceback"]
    assert "<frozen" not in said["failed"]["traceback"]
    assert "jobs.py" in said["failed"]["traceback"]


@pytest.mark.parametrize(
    "text",
    [
        "print('hello', flush=True)",
        "import os, sys; os.chdir('/'); os.closerange(0, 1000); del sys.path[:]; sys.excepthook = None",
        "import subprocess; subprocess.run(['true'])",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()",
        "from dataclasses import dataclass\n@dataclass\nclass Row:\n    x: 'int'\nimport pickle; pickle.dumps(Row(1))",
        "import helper; assert helper.VALUE == 3",
        "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
    ],
)
def test_what_a_module_may_do(tmp_path, text):
    """Printing, moving, closing descriptors, threads and processes of the import: the scenario is measured all the same."""
    path = tmp_path / "jobs.py"
    (tmp_path / "helper.py").write_text("VALUE = 3\n")
    path.write_text(f"{text}\ndef load(n): return n\n")
    said, seen = said_of(f"{path}::load")
    assert "ended" in said, (said, seen.tail)


def test_a_file_of_a_package(tmp_path):
    """Its relative imports work, from the topmost folder with an __init__.py; its siblings do not hide Python's modules."""
    inner = tmp_path / "house" / "floor"
    inner.mkdir(parents=True)
    for folder in (inner, inner.parent):
        (folder / "__init__.py").write_text("")
    (inner.parent / "tools.py").write_text("VALUE = 3\n")
    (inner / "decimal.py").write_text("raise RuntimeError\n")
    (inner / "beside.py").write_text("VALUE = 4\n")
    (inner / "jobs.py").write_text(
        "from ..tools import VALUE\nfrom . import beside\nimport decimal, beside\n"
        "def load(n):\n    assert __name__ == 'house.floor.jobs'\n    return n + VALUE\n"
    )
    said, seen = said_of(f"{inner / 'jobs.py'}::load")
    assert "ended" in said, (said, seen.tail)


def test_a_module_named_in_a_folder_is_found_there(tmp_path, monkeypatch):
    """module:function is looked for in the folder where it was named, as `python -m` does."""
    (tmp_path / "jobs_of_mine.py").write_text("def load(n): return n\n")
    monkeypatch.chdir(tmp_path)
    assert "ended" in said_of("jobs_of_mine:load")[0]


@pytest.mark.parametrize(
    ("name", "made"), [("takes_made", 3), ("takes_made", None), ("may_take_made", None), ("flat", 3)]
)
def test_what_a_setup_made(place, tmp_path, name, made):
    """It is the second argument of those that take one; None replaces no default."""
    import pickle

    path = tmp_path / "made"
    path.write_bytes(pickle.dumps(made))
    said, _seen = said_of(f"{place / 'jobs.py'}::{name}", made=str(path))
    assert "ended" in said, said
    assert said["loaded"]["reads_n"] is True


@pytest.mark.parametrize("name", ["pickle", "made"])
def test_functions_by_value(name):
    """Closures come along with what they refer to; so does a class of a module that cannot be imported."""
    step = bytearray(2000)

    class Made:
        def __init__(self, n):
            self.data = step * n

    said, _seen = said_of(Made if name == "made" else lambda n: step * n, n=10_000)
    assert said["ended"]["peak"] - said["began"]["rss"] > 18 * MIB


def test_its_folder_is_gone_afterwards(place, tmp_path, monkeypatch):
    """Nothing of a call stays in the folder for temporary files, also of what the scenario puts there."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = tmp_path / "jobs.py"
    path.write_text("import tempfile\ndef load(n): return tempfile.mkdtemp(), tempfile.mkstemp(), n\n")
    assert "ended" in said_of(f"{path}::load")[0]
    assert os.listdir(tmp_path) == ["jobs.py"] or set(os.listdir(tmp_path)) == {"jobs.py", "__pycache__"}
