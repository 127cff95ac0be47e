"""What a user hands to a flow: refused when the flow is made, and not when it has run for an hour.

Covers:     functions that cannot be called, generator functions where an item is wanted, coroutine functions; whether something
            is a table, a store or a file of this house; one file under two names.
Not here:   what a function does (`pipeline.stages`).
Holds:      nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from flatwater import errors
from flatwater.pipeline.stages import name_of


def function_of(function: Any) -> Any:
    """The function, if it is one.

    Raises:
        UsageError: it cannot be called, or is asynchronous.
    """
    if not callable(function):
        raise errors.UsageError(f"{function!r:.80} is no function.", hint="Give one that takes an item.")
    refuse_coroutines(function)
    return function


def of_an_item(function: Any) -> Any:
    """The function, if it can be one of a single item.

    Raises:
        UsageError: it is a generator function, too.
    """
    import inspect

    if inspect.isgeneratorfunction(function):
        raise errors.UsageError(
            f"{name_of(function)} is a generator function, which would make every item a generator.",
            hint="pipe(...) takes one that goes through all items, flat_map(...) one that takes an item.",
        )
    return function_of(function)


def refuse_coroutines(function: object) -> None:
    """A stage calls its function and takes what it returns, which would be a coroutine.

    Raises:
        UsageError: it is a coroutine function, or an asynchronous generator function.
    """
    import inspect

    called = getattr(function, "func", function)  # of a partial
    for each in (called, getattr(called, "__call__", None)):  # noqa: B004 - the method, which may be asynchronous
        if inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each):
            raise errors.UsageError(
                f"{getattr(called, '__qualname__', type(called).__name__)} is asynchronous, and stages call plain functions.",
                hint="Await it in the source, an asynchronous generator; or give pmap(...) a function that waits in its thread.",
            )


def is_a(module: str, name: str, value: object) -> bool:
    """Whether a value is of a class of this house, which is not imported for asking: then it is none."""
    home = sys.modules.get(module)
    return home is not None and isinstance(value, getattr(home, name))


def refuse_same_file(source: Any, stages: Sequence[Any], options: Any) -> None:
    """Each file is written by one part of a run, and dead letters do not become items of its source.

    Raises:
        UsageError: it would be, or they would.
    """
    named = [(stage.name, getattr(getattr(stage, "sink", None), "path", "")) for stage in stages]
    if "flatwater.pipeline.sinks.files" in sys.modules:  # else no stage writes a file
        from flatwater.pipeline.sinks.files import is_special, part_of

        named += [(name, part_of(path)) for name, path in named if path and not is_special(path)]
    named += [("checkpoint=", options.checkpoint), ("dead_letters=", options.dead_letters)]
    used: dict[str, str] = {}
    for name, path in named:
        if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
            continue
        found = os.path.realpath(path)
        if found in used and (os.path.isfile(found) or not os.path.exists(found)):  # a device is nobody's
            raise errors.UsageError(f"{found} is written by {used[found]} and by {name}.", hint="Name another file.")
        used[found] = name
    read = source.name if is_a("flatwater.source.files.one_pass", "OnePass", source) else ""
    if read and used.get(os.path.realpath(read)) == "dead_letters=":
        raise errors.UsageError(f"dead_letters= is {read}, which is read.", hint="Name another file.")
