"""One run of a scenario, in a process of its own that does nothing else. Run as a script.

Covers:     loading the scenario, the high-water mark around its call, telling how it did not do its work.
Not here:   the parent's side (`proof.points`), verdicts (`proof.growth`).
Holds:      what the scenario holds, and a few KiB.

Of Flatwater it imports what finds a scenario and what reads the allocators, and no more: what it measures is the scenario's.
Started as `python -P child.py FOLDER`: FOLDER/request is a pickled dict, FOLDER/said gets one line of JSON for each step:
`loaded`, `began`, `ended`, or `failed` with a stage and what happened. A file and not a pipe: the scenario may close,
fork or inherit any descriptor.
"""

from __future__ import annotations

# All that is needed once the scenario was imported: what stands beside its file, or what it does to sys.path, could get in
# the way. It is in the base of every measurement.
import _signal  # type: ignore[import-not-found]  # the module signal builds enums of it
import atexit
import gc
import inspect
import io
import json
import os
import pickle
import sys
from collections.abc import Iterator
from time import monotonic, perf_counter, process_time  # by name: a scenario may stop the module's clocks

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]  # there is no figure then

if __name__ == "__main__":  # the request has a path of its own, which is not read yet
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from flatwater.meter import allocators
from flatwater.proof import loading
from flatwater.proof.trailing import still_works

TYPE_CHECKING = False  # typing is one more module in a process that is kept bare
if TYPE_CHECKING:
    from typing import Any

_LINE_CHARS_MAX = 1_000  # of an error, as it is told
_LATE_S = 0.25  # for threads that the interpreter would wait for at its end
TEXT_CHARS_MAX = 8_000  # of a traceback
_HELPERS = {  # of multiprocessing, which keeps them until the end; they hold no work
    "multiprocessing.resource_tracker": ("_resource_tracker", "_pid"),
    "multiprocessing.forkserver": ("_forkserver", "_forkserver_pid"),
}


class Said(Exception):  # noqa: N818 - it ends the run, whoever is to blame
    """What went wrong has been said."""


class Run:
    """The folder that is spoken through, and the request in it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.pid = os.getpid()
        with open(os.path.join(folder, "request"), "rb") as file:
            self.request: dict[str, Any] = pickle.load(file)  # noqa: S301 - the parent's own

    def say(self, step: str, **figures: object) -> None:
        """One line, in one write."""
        line = json.dumps({"step": step, **figures}).encode() + b"\n"
        descriptor = os.open(os.path.join(self.folder, "said"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def fail(self, stage: str, what: str, error: BaseException | None = None) -> Said:
        """Say why there is no figure; raise what this returns."""
        text = ""
        if error is not None:
            sys.path[:] = self.request["path"]  # the scenario may have emptied it
            import traceback

            frames = error.__traceback__
            while frames is not None and _says_nothing(frames.tb_frame.f_code.co_filename):
                frames = frames.tb_next
            text = "".join(traceback.format_exception(type(error), error, frames))[-TEXT_CHARS_MAX:]
        self.say("failed", stage=stage, what=what, traceback=text)
        return Said()


def main(folder: str) -> int:
    """0 if it was measured, 1 if it was said why not."""
    run = Run(folder)
    sys.path[:] = run.request["path"]
    try:
        if run.request["make"]:
            _make(run)
        else:
            _measure(run)
    except Said:
        return 1
    return 0


def _make(run: Run) -> None:
    """Call the set-up and keep what it returns for the process that is measured."""
    function = _load(run, "setup")
    run.say("loaded")
    args: list[object] = [run.request["n"]]
    if unfit := loading.fit(function, args):
        raise run.fail("signature", unfit)
    value = _called(run, "setup", function, tuple(args))
    if inspect.iscoroutine(value):
        value = _called(run, "setup", _finished, (value,))
    try:
        import cloudpickle

        data = cloudpickle.dumps(value)
    except Exception as error:  # noqa: BLE001 - whatever somebody's __reduce__ raises
        what = f"what it returned, {_kind(value)}, cannot be handed to another process ({_line(error)})"
        raise run.fail("setup", what) from None
    with open(os.path.join(run.folder, "made"), "wb") as file:
        file.write(data)
    run.say("ended", made_bytes=len(data))


def _measure(run: Run) -> None:
    function = _load(run, "scenario")
    args: list[object] = [run.request["n"]]
    if run.request["made"]:
        with open(str(run.request["made"]), "rb") as file:
            args.append(pickle.load(file))  # noqa: S301 - our own set-up's
    if unfit := loading.fit(function, args):
        raise run.fail("signature", unfit)
    is_async = loading.may_be_async(function)
    if is_async:
        import asyncio  # noqa: F401 - before the call: it is no part of the scenario
    run.say("loaded", reads_n=bool(run.request["made"]) or loading.reads_n(function))
    threads, known = _threads(), _python_threads()
    waited, children = _waited_for(), _children()
    if _signal.getsignal(_signal.SIGCHLD) == _signal.SIG_IGN:
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)  # else the kernel forgets other processes
    reusable = _reusable()
    _reset_peak()
    rss, anon = _sizes()
    run.say("began", rss=rss, anon=anon, reusable=reusable)
    began_s, cpu_s = perf_counter(), process_time()
    value = _called(run, "scenario", function, tuple(args))
    if is_async and inspect.iscoroutine(value):
        value = _called(run, "scenario", _finished, (value,))
    cpu_s, wall_s = process_time() - cpu_s, perf_counter() - began_s
    peak = _peak()
    if os.getpid() != run.pid:  # it forked, and this is the other process, which came back as well
        raise run.fail("forked", "it forked, and the forked process came back from it as well")
    _check_done(run, value, threads, known)
    _check_alone(run, waited, children)
    # What it left for the end is its work as well.
    _called(run, "scenario", atexit._run_exitfuncs, ())  # noqa: SLF001 - there is no public way
    _end_helpers()
    run.say("ended", peak=max(peak, _peak()), anon=_sizes()[1], cpu_s=cpu_s, wall_s=wall_s)


# --- before ------------------------------------------------------------------------------------------------------------


def _load(run: Run, which: str) -> object:
    """The function of a request: pickled, by module and name, or by file and name."""
    kind, place, *rest = run.request[which]
    try:
        if kind == "pickle":
            found: object = pickle.loads(place)  # noqa: S301 - the parent's own
        elif kind == "file":
            found = loading.module_of(place)
        else:
            import importlib

            sys.path[:0] = rest[1:]  # the folder in which somebody wrote the name
            found = importlib.import_module(place)
    except BaseException as error:  # noqa: BLE001 - whatever an import does must be told
        raise run.fail("import", _line(error), error) from None
    try:
        function = loading.attribute(found, rest[0]) if rest else found
    except Exception as error:  # noqa: BLE001 - a module's own __getattr__
        raise run.fail("name", _line(error), error) from None
    if not callable(function):
        raise run.fail("name", f"it is {_kind(function)}, which cannot be called")
    return function


def _reusable() -> int:
    """Bytes that imports have used and freed, and that can be used again without the process getting larger."""
    gc.collect()
    allocators.malloc_trim()
    return max(0, allocators.arenas().free - allocators.ARENA_BYTES)


# --- the call ----------------------------------------------------------------------------------------------------------


def _called(run: Run, stage: str, function: object, args: tuple[object, ...]) -> object:
    try:
        return function(*args)  # type: ignore[operator]  # it is callable
    except MemoryError as error:
        raise run.fail("memory", _line(error), error) from None
    except SystemExit as error:
        raise run.fail(stage, f"it called sys.exit({error.code!r})", error) from None
    except _LeftUndone as error:
        raise run.fail("undone", f"it returned while its task {str(error)!r} still ran") from None
    except BaseException as error:  # noqa: BLE001 - whatever it raises must be told
        raise run.fail(stage, _line(error), error) from None


class _LeftUndone(Exception):  # noqa: N818 - it is caught where it is told
    pass


def _finished(coroutine: Any) -> object:
    """Run a coroutine in an event loop of its own; the tasks that it leaves have a moment to end."""
    import asyncio

    async def run() -> object:
        value = await coroutine
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            _, late = await asyncio.wait(others, timeout=_LATE_S)
            if late:
                raise _LeftUndone(min(task.get_name() for task in late))
        return value

    return asyncio.run(run())


def _check_done(run: Run, value: object, threads_before: int, known: list[object]) -> None:
    """What it returned, or left running, must not be the work itself."""
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise run.fail("undone", f"it returned {_kind(value)} that nobody has awaited: its work was not done")
    if inspect.isasyncgen(value) or (isinstance(value, Iterator) and not _is_resource(value)):
        raise run.fail("undone", f"it returned {_kind(value)} that nobody has run through: its work was not done")
    if _threads() > threads_before:
        if late := _late_thread(known):
            raise run.fail("undone", f"it returned while its thread {late!r} still ran")
        if still_works(lambda: _threads() - _samplers(known) > threads_before):
            raise run.fail("undone", "it returned while a thread that it started still works")


def _is_resource(value: object) -> bool:
    """Whether an iterator is an open file, or a cursor with no rows to fetch: its work is done."""
    return isinstance(value, io.IOBase) or getattr(value, "description", value) is None


def _late_thread(known: list[object]) -> str:
    """The name of a thread, not among the known ones, for whose end the interpreter would wait; empty if there is none."""
    threading, pools = sys.modules.get("threading"), sys.modules.get("concurrent.futures.thread")
    if threading is None:
        return ""
    if pools is not None:  # as at the interpreter's end: idle workers go, others first do what they were given
        threading.Thread(target=pools._python_exit, daemon=True).start()  # noqa: SLF001 - there is no public way
    until_s = monotonic() + _LATE_S
    for thread in _python_threads():
        if thread in known or thread.daemon or thread is threading.current_thread():
            continue
        thread.join(max(0.0, until_s - monotonic()))
        if thread.is_alive():
            return str(thread.name)
    return ""


def _check_alone(run: Run, waited_before: int, children_before: list[int]) -> None:
    """Other processes' memory is in no figure of this one."""
    children = [pid for pid in _children() if pid not in _helpers()]
    living = [pid for pid in children if _is_alive(pid)]
    if living:
        pids = ", ".join(map(str, living[:8]))
        raise run.fail(
            "children", f"it left {len(living)} child process{'es' * (len(living) > 1)} running (pid {pids})"
        )
    if _waited_for() > waited_before or not set(children) <= set(children_before):  # nobody waited for the latter
        raise run.fail("forked", "it started other processes, and their memory is not in its own")
    if _signal.getsignal(_signal.SIGCHLD) == _signal.SIG_IGN:
        raise run.fail("forked", "it ignores SIGCHLD, so nobody can tell whether it started other processes")


def _helpers() -> set[int]:
    pairs = [(getattr(sys.modules.get(name), holder, None), field) for name, (holder, field) in _HELPERS.items()]
    return {getattr(holder, field, None) or 0 for holder, field in pairs}


def _end_helpers() -> None:
    """They would end by themselves when this process has, a moment later: too late to tell them from what was left."""
    for name, (holder, _field) in _HELPERS.items():
        stop = getattr(getattr(sys.modules.get(name), holder, None), "_stop", None)
        try:
            if stop is not None:
                stop()
        except Exception:  # noqa: BLE001, S110 - somebody has replaced it
            pass


# --- what the kernel says ----------------------------------------------------------------------------------------------


def _threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        import threading

        return threading.active_count()


def _samplers(known: list[Any]) -> int:
    """The thread of `flatwater.meter` that stays for the next measure: it does no work of the scenario's, and takes time."""
    return sum(thread.name == "flatwater-measure" and thread not in known for thread in _python_threads())


def _python_threads() -> list[Any]:
    threading = sys.modules.get("threading")
    return [] if threading is None else list(threading.enumerate())


def _children() -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/children", encoding="ascii") as file:
                found += [int(pid) for pid in file.read().split()]
    except OSError:
        return []
    return found


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (OSError, IndexError):
        return False


def _waited_for() -> int:
    """Page faults of children that were waited for; it rises with each of them."""
    return 0 if resource is None else resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt


def _reset_peak() -> None:
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    except OSError:
        pass  # the process is fresh: its mark is that of its imports


def _peak() -> int:
    size = _status("VmHWM:")
    if size >= 0:
        return size
    if resource is None:
        return -1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _sizes() -> tuple[int, int]:
    """`(rss, anon)` now. Where there is no /proc: the mark of a process that has done nothing yet but import, and -1."""
    rss, anon = _status("VmRSS:"), _status("RssAnon:")
    return (rss if rss >= 0 else _peak()), anon + max(0, _status("RssShmem:")) if anon >= 0 else -1


def _status(field: str) -> int:
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith(field):
                    return int(line.split()[1]) * 1024
    except OSError:
        return -1
    return -1


def _says_nothing(file: str) -> bool:
    """Whether a traceback's first lines say nothing to anybody: ours, and the import system's."""
    return (
        file in {__file__, loading.__file__}
        or file.startswith("<frozen importlib")
        or file.endswith("importlib/__init__.py")
    )


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _line(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - somebody's __str__ is broken
        text = "(it cannot even be printed)"
    return f"{type(error).__name__}: {text}"[:_LINE_CHARS_MAX] if text else type(error).__name__


if __name__ == "__main__":
    code = main(sys.argv[1])
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105 - contextlib is one more module
            stream.flush()
        except Exception:  # noqa: BLE001, S110 - the scenario may have put anything there, and all was said
            pass
    os._exit(code)  # what it left running is not waited for
