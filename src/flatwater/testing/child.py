"""pytest in the process of one point: runs one test, and says what its call took.

Covers:     narrowing a session to one test, the high-water mark around its call, rounds of a hunt for leaks, reports.
Not here:   starting this process (`testing.start`), the session's side (`testing.points`), verdicts (`testing.verdict`).
Holds:      what the test holds, and a few KiB.

Fixtures are set up before the measurement and torn down after it. Options that concern the session and not the test
(which tests, reports, distribution, repetition) are switched off after pytest has read them, so that it does not matter
where they came from: the command line, an ini file or the environment.
"""

from __future__ import annotations

import inspect
import itertools
import json
import os
import sys
import types
from collections.abc import Generator
from typing import Any, final

import pytest
from _pytest import capture

from flatwater import limits
from flatwater.proof import child
from flatwater.testing import records
from flatwater.testing.start import POINT_VARIABLE
from flatwater.testing.window import Window

FOLDER = os.environ.pop(POINT_VARIABLE, "")  # not for a pytest that the test itself starts
REPORT_CHARS_MAX = limits.TESTING_REPORT_CHARS_MAX
SECTION_CHARS_MAX = limits.TESTING_SECTION_CHARS_MAX
TEST = "the test"  # its fixtures and self in reports of leaks; no name that anybody could import
PRINTED = ("stdout", "stderr")  # in the order in which pytest captures them
N = pytest.StashKey[int]()
N_TAKEN = pytest.StashKey[bool]()

if FOLDER and hasattr(capture, "TemporaryFile"):
    # What the test prints stands in files with names, which are there still when its process was killed.
    _files = itertools.chain(PRINTED, itertools.repeat(None))
    _otherwise = capture.TemporaryFile

    def _captured(*args: Any, **options: Any) -> Any:
        name = next(_files)
        if name is None:
            return _otherwise(*args, **options)
        return open(os.path.join(FOLDER, name), "w+b", buffering=0)  # pytest closes it

    capture.TemporaryFile = _captured

# What an option is when nobody gives it. Those of plugins that are not installed are passed over.
_OPTIONS_OFF: dict[str, Any] = {
    "keyword": "", "markexpr": "", "deselect": None, "pyargs": False, "maxfail": 0,
    "lf": False, "failedfirst": False, "newfirst": False, "stepwise": False, "stepwise_skip": False,
    "usepdb": False, "trace": False, "setuponly": False, "setupshow": False, "durations": None,
    "xmlpath": None, "report_log": None, "htmlpath": None, "json_report": False, "pastebin": None, "log_file": os.devnull,
    "numprocesses": None, "maxprocesses": None, "dist": "no", "distload": False, "tx": [], "looponfail": False,
    "forked": False, "reruns": 0, "mem_top": 0,
}  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Make of the session that was asked for one of a single test."""
    if not FOLDER:
        raise pytest.UsageError(f"{__name__} is for the processes that flatwater starts: leave out -p {__name__}.")
    point = Point(config, child.Run(FOLDER))
    for name, value in _OPTIONS_OFF.items():
        if hasattr(config.option, name):
            setattr(config.option, name, value)
    config.option.basetemp = os.path.join(FOLDER, "tmp")
    if "[" not in point.file:  # pytest takes the rest for a test's parameters
        config.args[:] = [point.file]
    if point.n is not None:
        config.stash[N] = point.n
    config.pluginmanager.register(point, "flatwater-point")
    if point.rounds:
        config.pluginmanager.register(Hunt(config, point), "flatwater-hunt")


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test that no other plugin runs: this module is registered before theirs, and asked after them."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    import asyncio

    names = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001 - as pytest's own call, for which there is no other way
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@final
class Point:
    """The plugin that finds the test, measures it and tells."""

    def __init__(self, config: pytest.Config, run: child.Run) -> None:
        self._config = config
        self.run = run
        self.n: int | None = run.request["n"]
        self.rounds: int = run.request["rounds"]
        self.file: str = run.request["file"]
        self._names: list[str] = run.request["names"]
        self._id: str = run.request["id"]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, None, None]:
        """Leave the one test, whatever other plugins leave, rename or reorder."""
        before = list(items)
        yield
        found = [item for item in [*items, *before] if self._is_wanted(item)]
        items[:] = found[:1]
        if not found:
            self._fail("lost", f"it was not found again among the {len(before)} tests of {self.file}", "")

    def _is_wanted(self, item: pytest.Item) -> bool:
        return item.nodeid == self._id or (os.fspath(item.path) == self.file and names_of(item) == self._names)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Measure the call, with all that other plugins do around it."""
        if self.n is not None and not self._config.stash.get(N_TAKEN, False):
            raise self.run.fail("shadowed", "the n that it takes is another fixture's")
        if self.rounds:
            return (yield)
        if inspect.iscoroutinefunction(pyfuncitem.obj):
            import asyncio  # noqa: F401 - before the measurement
        with records.bounded(pyfuncitem):
            window = Window()
            self.run.say("began", **window.began)
            result = yield
            figures, trouble = window.close()
        if trouble is not None:
            raise self.run.fail(trouble.stage, trouble.what)
        self.run.say("ended", **figures)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what did not pass, and what the call printed that did, for the session to show as its own.

        Subtests have reports too, before the call's own. One that fails stands for the test; one that is skipped does not.
        """
        if hasattr(report, "context") and not report.failed:
            return
        if report.passed and not (report.when == "call" and report.sections):
            return
        path = os.path.join(self.run.folder, f"report-{'passed' if report.passed else report.when}")
        if os.path.exists(path):
            return
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        data["sections"] = [(name, text[-SECTION_CHARS_MAX:]) for name, text in report.sections]
        text = json.dumps(data, default=str)
        if len(text) > REPORT_CHARS_MAX:
            data["sections"] = []
            data["longrepr"] = report.longreprtext[-REPORT_CHARS_MAX // 8 :]
            text = json.dumps(data, default=str)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected here."""
        if report.failed:
            self._fail("collect", "its file cannot be collected in a process of its own", report.longreprtext)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """The test ended the whole session, by pytest.exit() or with a KeyboardInterrupt."""
        stage = "exit" if isinstance(excinfo.value, pytest.exit.Exception) else "interrupt"
        self._fail(stage, str(excinfo.value), "")

    def pytest_internalerror(self, excrepr: object) -> None:
        """A hook that raised."""
        self._fail("internal", "a plugin or a conftest file failed", str(excrepr))

    def _fail(self, stage: str, what: str, text: str) -> None:
        self.run.say("failed", stage=stage, what=what, traceback=text[-child.TEXT_CHARS_MAX :])


@final
class Hunt:
    """The plugin that runs the call of the test in rounds, and looks for what grows on each."""

    def __init__(self, config: pytest.Config, point: Point) -> None:
        self._config = config
        self._point = point

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool:
        """Call as every other plugin would, again and again."""
        from flatwater.proof.leaks import ActionFailed, find_leaks

        call = self._config.pluginmanager.subset_hook_caller("pytest_pyfunc_call", [self, self._point])

        def action() -> None:
            with records.put_back(pyfuncitem):
                call(pyfuncitem=pyfuncitem)

        action.__module__, action.__qualname__ = pyfuncitem.module.__name__, pyfuncitem.name
        request = self._point.run.request
        sys.modules[TEST] = _named(pyfuncitem)
        try:
            report = find_leaks(action, rounds=request["rounds"], warmup=request["warmup"])
        except ActionFailed as error:
            raise error.__cause__ or error from None
        finally:
            del sys.modules[TEST]
        self._point.run.say("ended", holds=report.holds, text=str(report))
        return True


def _named(item: pytest.Function) -> types.ModuleType:
    """What the test works with by short names: a hunt names what grows after the modules that hold it."""
    module = types.ModuleType(TEST)
    values = {**item.funcargs, "self": item.instance}
    for name, value in values.items():
        if not type(value).__module__.startswith("_pytest."):  # what pytest keeps is known by its own names
            setattr(module, name, value)
    return module


def names_of(item: pytest.Item) -> list[str]:
    """Of a test below its file: those of its classes, and its own with its parameters."""
    return [node.name for node in item.listchain() if isinstance(node, pytest.Class | pytest.Function)]
