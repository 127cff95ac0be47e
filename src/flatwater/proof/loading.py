"""Find the scenario that a request names, and what can be told of it before it is called.

Covers:     a file as a module, one of a package with its relative imports; signatures, async functions, an n that is never read.
Not here:   calling it (`proof.child`), reading names on the command line (`proof.scenarios`).
Holds:      nothing.

It imports the standard library only, and little of that: it is in the base of every measurement.
"""

from __future__ import annotations

import inspect
import os
import sys

TYPE_CHECKING = False  # typing is one more module in a process that is kept bare
if TYPE_CHECKING:
    from typing import Any


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
    if folder == beside or not all(name.isidentifier() for name in names):
        return None
    there = list(getattr(sys.modules.get(names[0]), "__path__", ()))
    if names[0] in sys.modules and os.path.join(folder, names[0]) not in there:
        return None
    sys.path.insert(0, folder)
    sys.path.append(beside)  # last: a package may have a json.py of its own
    return importlib.import_module(".".join(names))


def attribute(module: object, dotted: str) -> object:
    """What a dotted name in it means."""
    value = module
    for name in dotted.split("."):
        value = getattr(value, name)
    return value


def fit(function: object, args: list[object]) -> str:
    """Why it cannot be called so; empty if it can. Takes what the set-up made out of them, where it is not wanted."""
    try:
        signature = inspect.signature(function)  # type: ignore[arg-type]  # it is callable
    except (TypeError, ValueError):
        return ""  # written in C: the call will tell
    if len(args) > 1 and (not _binds(signature, args) or (args[1] is None and _binds(signature, args[:1]))):
        del args[1:]
    try:
        signature.bind(*args)
    except TypeError as error:
        return f"it is called with n, and its signature is {signature} ({error})"
    return ""


def _binds(signature: inspect.Signature, args: list[object]) -> bool:
    try:
        signature.bind(*args)
    except TypeError:
        return False
    return True


def may_be_async(function: Any) -> bool:
    """Whether it may return a coroutine, as far as it shows."""
    ways = (function, inspect.unwrap(function), getattr(type(function), "__call__", None))  # noqa: B004 - not asked here
    return any(map(inspect.iscoroutinefunction, ways))


def reads_n(function: object) -> bool:
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
