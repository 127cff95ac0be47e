"""Run a round trip: the action, then the way back.

Covers:     functions and coroutine functions, one event loop for all rounds, what an action may not be, how it failed.
Not here:   what is looked at between rounds (`hunt`), finding a function by its name (`target`).
Holds:      an event loop, if the action or its undo is a coroutine function.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import os
import sys
import types
from collections.abc import Callable
from typing import Any, Self, final

from flatwater import errors

SETTLING_TURNS = 3  # of the event loop after an action: a task that has just ended takes one or two to be gone

_LAZY_RESULTS = (types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType)
_LINE_CHARS_MAX = 200  # of the text of an error
_CHILD_EXIT_CODE = 70  # of a forked child that came back from the action: sysexits' "internal software error"


class ActionFailed(errors.BrokenError):
    """The action or its undo raised, so nothing is known about leaks. `__cause__` is what it raised."""


@final
class Rounds:
    """Calls the action and its undo, as often as asked. A context manager; for one thread.

    Args:
        action: takes no arguments.
        undo: the way back, or None.

    Raises:
        UsageError: one of them cannot be called without arguments, or does nothing when called (a generator function);
            or an event loop runs in this thread already.
    """

    __slots__ = ("_action", "_is_async", "_pid", "_runner", "_undo", "name")

    def __init__(self, action: Callable[[], Any], undo: Callable[[], Any] | None) -> None:
        self.name = check(action, "action")
        if undo is not None:
            check(undo, "undo")
        self._action, self._undo = action, undo
        self._is_async = _is_async(action) or (undo is not None and _is_async(undo))
        self._runner: asyncio.Runner | None = None
        self._pid = os.getpid()

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The one that runs all rounds; None if there is none."""
        return self._runner.get_loop() if self._runner else None

    def __enter__(self) -> Self:
        if self._is_async:
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                # A loop of its own, which is not made the thread's current one: a test runner may keep its own there.
                self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
            else:
                raise errors.UsageError(
                    "find_leaks runs its rounds in an event loop of its own, and one runs in this thread already.",
                    hint="Write await asyncio.to_thread(fw.find_leaks, action).",
                )
        return self

    def __exit__(self, *_: object) -> None:
        if self._runner is not None:
            self._runner.close()  # cancels the tasks that stayed

    def run(self) -> None:
        """One round.

        Raises:
            ActionFailed: one of the two raised. After a failed action its undo is not called: there may be nothing to
                take back, and its error would hide the first one.
            UsageError: it returned a coroutine or generator that nobody runs.
            MemoryError, KeyboardInterrupt: as they are.
        """
        if self._runner is not None:
            try:
                self._runner.run(self._trip())
            except asyncio.CancelledError as error:  # not of Ctrl-C: the runner makes that a KeyboardInterrupt again
                raise _failed(error, "action" if self._undo is None else "action or undo of", self.name) from error
        else:
            self._plain_trip()
        _flush()

    def _plain_trip(self) -> None:
        _call(self._action, "action", self.name)
        self._stay_parent()
        if self._undo is not None:
            _call(self._undo, "undo", name_of(self._undo))
            self._stay_parent()

    async def _trip(self) -> None:
        await _acall(self._action, "action", self.name)
        if self._undo is not None:
            await _acall(self._undo, "undo", name_of(self._undo))
        for _ in range(SETTLING_TURNS):
            await asyncio.sleep(0)
        self._stay_parent()

    def _stay_parent(self) -> None:
        """A child that the action forked must not go on here, and answer in its parent's place."""
        if os.getpid() != self._pid:
            sys.stderr.write("flatwater leaks: a process that the action forked returned from it; it ends here.\n")
            sys.stderr.flush()
            os._exit(_CHILD_EXIT_CODE)


def _flush() -> None:
    """What was printed and waits in Python's own buffers is no growth: it goes by itself when there is more of it."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(Exception):  # closed, or somebody's own
            stream.flush()  # type: ignore[union-attr]  # None has none


def check(function: object, what: str) -> str:
    """Its name.

    Raises:
        UsageError: it cannot be called without arguments, or calling it would not run it.
    """
    if not callable(function):
        raise errors.UsageError(
            f"{what} is a {type(function).__name__}, which cannot be called.",
            hint="Pass a function without arguments, or a text such as 'jobs.py::load'.",
        )
    name = name_of(function)
    plain = inspect.unwrap(_without_partial(function))
    if inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain):
        raise errors.UsageError(
            f"{what} {name} is a generator function: calling it runs none of its lines.",
            hint="Pass a function that goes through it, such as lambda: list(rows()).",
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some builtins do not tell
        return name
    try:
        signature.bind()
    except TypeError as error:
        raise errors.UsageError(
            f"{what} {name} cannot be called without arguments: {error}.",
            hint="Bind them first: functools.partial(function, value).",
        ) from None
    return name


def name_of(function: object) -> str:
    """What people call it."""
    plain = _without_partial(function)
    name = getattr(plain, "__qualname__", None) or type(plain).__qualname__
    module = getattr(plain, "__module__", None)
    return f"{module}.{name}" if isinstance(module, str) and module not in {"builtins", "__main__"} else str(name)


def line_of(error: BaseException) -> str:
    """Its type and the first line of its text.

    >>> line_of(ValueError("no such table"))
    'ValueError: no such table'
    """
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # noqa: BLE001 - somebody's __str__ is broken
        lines = ["(it cannot even be printed)"]
    return type(error).__qualname__ + (f": {lines[0][:_LINE_CHARS_MAX]}" if lines else "")


def _without_partial(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _is_async(function: Any) -> bool:
    plain = _without_partial(function)
    return inspect.iscoroutinefunction(plain) or inspect.iscoroutinefunction(getattr(type(plain), "__call__", None))  # noqa: B004 - an object may be a coroutine function


def _call(function: Callable[[], Any], what: str, name: str) -> None:
    try:
        result = function()
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        raise _failed(error, what, name) from error
    _refuse_lazy(result, what, name)


async def _acall(function: Callable[[], Any], what: str, name: str) -> None:
    try:
        result = function()
        if _is_async(function):
            result = await result
    except (asyncio.CancelledError, KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        raise _failed(error, what, name) from error
    _refuse_lazy(result, what, name)


def _failed(error: BaseException, what: str, name: str) -> ActionFailed:
    return ActionFailed(
        f"{what} {name} raised {line_of(error)}.", hint="It has to succeed on every round; run it alone first."
    )


def _refuse_lazy(result: object, what: str, name: str) -> None:
    if not isinstance(result, _LAZY_RESULTS):
        return
    kind = type(result).__name__.replace("_", " ")
    if not isinstance(result, types.AsyncGeneratorType):
        result.close()
    raise errors.UsageError(
        f"{what} {name} returned a {kind} and ran none of its lines.",
        hint="Pass the async function itself, or one that goes through what the generator gives.",
    )
