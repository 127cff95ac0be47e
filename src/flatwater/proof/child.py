"""One run of a scenario, in a process of its own that does nothing else. Run as a script.

Covers:     loading the scenario, the high-water mark around its call, telling how it did not do its work.
Not here:   the parent's side (`proof.points`), verdicts (`proof.growth`).
Holds:      what the scenario holds, and a few KiB.

It imports neither Flatwater nor anything that the scenario may not need, so that what it measures is the scenario's.
Started as `python -P child.py FOLDER`: FOLDER/request is a pickled dict, FOLDER/said gets one line of JSON for each step:
`loaded`, `began`, `ended`, or `failed` with a stage and what happened. A file and not a pipe: the scenario may close,
fork or inherit any descriptor.
"""

from __future__ import annotations

# All that is needed once the scenario was imported: what stands beside its file, or what it does to sys.path, could get in
# the way. It is in the base of every measurement.
import gc
import inspect
import json
import os
import pickle
import sys
import time

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]  # there is no figure then

TYPE_CHECKING = False  # typing is one more module in a process that is kept bare
if TYPE_CHECKING:
    from typing import Any

_LATE_S = 0.25  # for threads that the interpreter would wait for at its end
_BUSY_LOOK_S = 0.02  # between looks at other threads that stay
_BUSY_S = 0.006  # on a processor within _LATE_S: they work; one that only samples takes less
TEXT_CHARS_MAX = 8_000  # of a traceback
_FILES = ("io", "socket")  # modules of iterators that are resources, not work to be done


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
    value = _called(run, "setup", function, (run.request["n"],))
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
    _check_signature(run, function, args)
    is_async = _is_async(function)
    if is_async:
        import asyncio
    run.say("loaded", reads_n=len(args) > 1 or _reads_n(function))
    threads, known = _threads(), _python_threads()
    waited, children = _waited_for(), _children()
    gc.collect()
    _reset_peak()
    rss, anon = _sizes()
    run.say("began", rss=rss, anon=anon)
    began_s, cpu_s = time.perf_counter(), time.process_time()
    if is_async:
        value = _called(run, "scenario", lambda *words: asyncio.run(function(*words)), tuple(args))  # type: ignore[operator]  # it can be called
    else:
        value = _called(run, "scenario", function, tuple(args))
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - began_s
    peak = _peak()
    if os.getpid() != run.pid:  # it forked, and this is the other process, which came back as well
        raise run.fail("forked", "it forked, and the forked process came back from it as well")
    _check_done(run, value, threads, known)
    _check_alone(run, waited, children)
    run.say("ended", peak=max(peak, _peak()), anon=_sizes()[1], cpu_s=cpu_s, wall_s=wall_s)


# --- before ------------------------------------------------------------------------------------------------------------


def _load(run: Run, which: str) -> object:
    """The function of a request: pickled, by module and name, or by file and name."""
    kind, place, *rest = run.request[which]
    try:
        if kind == "pickle":
            found: object = pickle.loads(place)  # noqa: S301 - the parent's own
        elif kind == "file":
            found = module_of(place)
        else:
            import importlib

            sys.path[:0] = rest[1:]  # the folder in which somebody wrote the name
            found = importlib.import_module(place)
    except BaseException as error:  # noqa: BLE001 - whatever an import does must be told
        raise run.fail("import", _line(error), error) from None
    try:
        function = _attribute(found, rest[0]) if rest else found
    except Exception as error:  # noqa: BLE001 - a module's own __getattr__
        raise run.fail("name", _line(error), error) from None
    if not callable(function):
        raise run.fail("name", f"it is {_kind(function)}, which cannot be called")
    return function


def module_of(path: str) -> object:
    """The module that a file is, imported once; files beside it can be imported from it, as from a script.

    A file of a package is imported as a part of that, with its relative imports.
    """
    import importlib.util

    if (module := _of_package(path)) is not None:
        return module
    folder, stem = os.path.dirname(path), os.path.splitext(os.path.basename(path))[0]
    name = (
        stem if stem.isidentifier() and stem not in sys.modules and stem not in sys.stdlib_module_names else "scenario"
    )
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _of_package(path: str) -> object | None:
    """The module below the topmost folder with an `__init__.py`; None for a file in a folder without."""
    import importlib

    folder, file = os.path.split(path)
    names = [] if file == "__init__.py" else [os.path.splitext(file)[0]]
    beside = folder
    while os.path.isfile(os.path.join(folder, "__init__.py")) and folder != os.path.dirname(folder):
        folder, name = os.path.split(folder)
        names.insert(0, name)
    if folder == beside or not all(name.isidentifier() for name in names) or names[0] in sys.modules:
        return None
    sys.path.insert(0, folder)
    sys.path.append(beside)  # last: a package may have a json.py of its own
    return importlib.import_module(".".join(names))


def _attribute(module: object, dotted: str) -> object:
    value = module
    for name in dotted.split("."):
        value = getattr(value, name)
    return value


def _check_signature(run: Run, function: object, args: list[object]) -> None:
    """Also leaves out what the set-up made, where the scenario does not want it."""
    try:
        signature = inspect.signature(function)  # type: ignore[arg-type]  # it is callable
    except (TypeError, ValueError):
        return  # written in C: the call will tell
    if len(args) > 1 and (not _binds(signature, args) or (args[1] is None and _binds(signature, args[:1]))):
        del args[1:]
    try:
        signature.bind(*args)
    except TypeError as error:
        what = f"it is called with n, and its signature is {signature} ({_line(error)})"
        raise run.fail("signature", what) from None


def _binds(signature: inspect.Signature, args: list[object]) -> bool:
    try:
        signature.bind(*args)
    except TypeError:
        return False
    return True


def _is_async(function: object) -> bool:
    return inspect.iscoroutinefunction(function)


def _reads_n(function: object) -> bool:
    """Whether a plain function's text ever reads its first argument; True where that cannot be told."""
    code = getattr(function, "__code__", None)
    place = int(inspect.ismethod(function))  # before it stands the object, or the class
    if code is None or code.co_argcount <= place:
        return True
    name = code.co_varnames[place]
    if name in code.co_cellvars or {"locals", "vars", "eval", "exec"} & set(code.co_names):
        return True
    import dis

    for instruction in dis.get_instructions(code):
        if instruction.opname.startswith("LOAD") or "LOAD" in instruction.opname:
            value = instruction.argval
            if value == name or (isinstance(value, tuple) and name in value):
                return True
    return False


# --- the call ----------------------------------------------------------------------------------------------------------


def _called(run: Run, stage: str, function: object, args: tuple[object, ...]) -> object:
    try:
        return function(*args)  # type: ignore[operator]  # it is callable
    except MemoryError as error:
        raise run.fail("memory", _line(error), error) from None
    except SystemExit as error:
        raise run.fail(stage, f"it called sys.exit({error.code!r})", error) from None
    except BaseException as error:  # noqa: BLE001 - whatever it raises must be told
        raise run.fail(stage, _line(error), error) from None


def _check_done(run: Run, value: object, threads_before: int, known: list[object]) -> None:
    """What it returned, or left running, must not be the work itself."""
    from collections.abc import Iterator

    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise run.fail("undone", f"it returned {_kind(value)} that nobody has awaited: its work was not done")
    if inspect.isasyncgen(value) or (isinstance(value, Iterator) and type(value).__module__.strip("_") not in _FILES):
        raise run.fail("undone", f"it returned {_kind(value)} that nobody has run through: its work was not done")
    if _threads() > threads_before:
        if late := _late_thread(known):
            raise run.fail("undone", f"it returned while its thread {late!r} still ran")
        began_s, until_s = time.process_time(), time.monotonic() + _LATE_S
        while _threads() > threads_before and time.monotonic() < until_s:
            time.sleep(_BUSY_LOOK_S)
            if time.process_time() - began_s > _BUSY_S:
                raise run.fail("undone", "it returned while a thread that it started still works")


def _late_thread(known: list[object]) -> str:
    """The name of a thread, not among the known ones, for whose end the interpreter would wait; empty if there is none."""
    threading, pools = sys.modules.get("threading"), sys.modules.get("concurrent.futures.thread")
    if threading is None:
        return ""
    if pools is not None:  # as at the interpreter's end: idle workers go, others first do what they were given
        threading.Thread(target=pools._python_exit, daemon=True).start()  # noqa: SLF001 - there is no public way
    until_s = time.monotonic() + _LATE_S
    for thread in _python_threads():
        if thread in known or thread.daemon or thread is threading.current_thread():
            continue
        thread.join(max(0.0, until_s - time.monotonic()))
        if thread.is_alive():
            return str(thread.name)
    return ""


def _check_alone(run: Run, waited_before: int, children_before: list[int]) -> None:
    """Other processes' memory is in no figure of this one."""
    children = _children()
    living = [pid for pid in children if _is_alive(pid)]
    if living:
        pids = ", ".join(map(str, living[:8]))
        raise run.fail(
            "children", f"it left {len(living)} child process{'es' * (len(living) > 1)} running (pid {pids})"
        )
    if _waited_for() > waited_before or not set(children) <= set(children_before):  # nobody waited for the latter
        raise run.fail("forked", "it started other processes, and their memory is not in its own")


# --- what the kernel says ----------------------------------------------------------------------------------------------


def _threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        import threading

        return threading.active_count()


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
    rss = _status("VmRSS:")
    return (rss if rss >= 0 else _peak()), _status("RssAnon:")


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
    return file == __file__ or file.startswith("<frozen importlib") or file.endswith("importlib/__init__.py")


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _line(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - somebody's __str__ is broken
        text = "(it cannot even be printed)"
    return f"{type(error).__name__}: {text}"[:1000] if text else type(error).__name__


if __name__ == "__main__":
    code = main(sys.argv[1])
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105 - contextlib is one more module
            stream.flush()
        except Exception:  # noqa: BLE001, S110 - the scenario may have put anything there, and all was said
            pass
    os._exit(code)  # what it left running is not waited for
