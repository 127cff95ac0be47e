"""What is proved: a function of n, named or given, or a command with {n} in it.

Covers:     "module:function", "file.py::function", callables, commands, every function of a file; their names.
Not here:   running them (`proof.points`), which sizes (`proof.sizes`).
Holds:      one name or one pickled function each.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from flatwater import errors, limits, units

PLACE = "{n}"
_HINT = "Name it as file.py::function or module:function, give a function, or a command with {n} in it."
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that can be run for an n.

    Attributes:
        name: as people know it.
        target: of a function: how a fresh process gets at it; None for a command.
        argv: of a command: its words, with `{n}` in at least one; empty for a function.
    """

    name: str
    target: tuple[object, ...] | None = None
    argv: tuple[str, ...] = ()

    def words(self, n: int) -> list[str]:
        """A command's words for one size."""
        return [word.replace(PLACE, str(n)) for word in self.argv]


def scenario_of(value: object, *, what: str = "scenario") -> Scenario:
    """The scenario that a user means.

    Raises:
        UsageError: it is none; says how to write one.

    >>> scenario_of(["node", "job.js", "{n}"]).words(1000)
    ['node', 'job.js', '1000']
    >>> scenario_of("json:loads").target[:3]
    ('module', 'json', 'loads')
    """
    if isinstance(value, Scenario):
        return value
    if isinstance(value, str):
        return _named(value, what)
    if callable(value):
        return _given(value, what)
    if isinstance(value, Sequence):
        return _command(value, what)
    raise errors.UsageError(f"{what}: {value!r} cannot be run.", hint=_HINT)


def scenarios_in(text: str) -> list[Scenario]:
    """One named scenario, or, for a file without a name, all its public functions whose first parameter is `n`.

    Raises:
        UsageError: there is none.
    """
    if "::" in text or ":" in text or not text.endswith(".py"):
        return [scenario_of(text)]
    path = _file(text, "scenario")
    names = _functions_of_n(path)
    if not names:
        raise errors.UsageError(
            f"{text}: no public function has n as its first parameter.", hint=f"Name one: {text}::function"
        )
    if len(names) > limits.PROOF_SCENARIOS_MAX:
        raise errors.UsageError(f"{text} has {len(names)} of them; at most {limits.PROOF_SCENARIOS_MAX} at a time.")
    return [Scenario(f"{os.path.normpath(text)}::{name}", ("file", str(path), name)) for name in names]


def _named(text: str, what: str) -> Scenario:
    file, separator, name = text.partition("::")
    if separator:
        if not _DOTTED.fullmatch(name):
            raise errors.UsageError(f"{what}: {text!r} names no function after '::'.", hint=_HINT)
        # One name for one function, however its file was written: a baseline goes by it.
        return Scenario(f"{os.path.normpath(file)}::{name}", ("file", str(_file(file, what)), name))
    module, separator, name = text.partition(":")
    if not separator or not _DOTTED.fullmatch(module) or not _DOTTED.fullmatch(name):
        raise errors.UsageError(f"{what}: {text!r} is not the name of a function.", hint=_HINT)
    # The `flatwater` script has no folder of the user's on its path, `python -m flatwater` has.
    return Scenario(text, ("module", module, name, os.getcwd()))


def _file(text: str, what: str) -> Path:
    path = Path(text)
    if not path.is_file():
        how = "is a directory" if path.is_dir() else "there is no such file"
        raise errors.UsageError(f"{what}: {text!r}: {how}.", hint=_HINT)
    if path.suffix != ".py":
        raise errors.UsageError(f"{what}: {text!r} is not a Python file.", hint=_HINT)
    return path.resolve()


def _given(function: Callable[..., Any], what: str) -> Scenario:
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    module = getattr(function, "__module__", None) or ""
    if _is_importable(function, module, name):
        return Scenario(name, ("module", module, name))
    return Scenario(name, ("pickle", pickled(function, what)))


def pickled(function: Callable[..., Any], what: str) -> bytes:
    """A function by value, with what it refers to, as far as a fresh process could not import it.

    Raises:
        UsageError: it holds what cannot be sent to another process.
    """
    import cloudpickle

    module = sys.modules.get(getattr(function, "__module__", None) or "")
    by_value = module is not None and module.__name__ != "__main__" and not _is_findable(module)
    try:
        if by_value:
            cloudpickle.register_pickle_by_value(module)
        data: bytes = cloudpickle.dumps(function)
    except Exception as error:
        name = getattr(function, "__qualname__", repr(function))
        raise errors.UsageError(
            f"{what}: {name} cannot be sent to a fresh process: {error}.",
            hint="Open files, locks and connections inside it, or write it at the top of a module.",
        ) from error
    finally:
        if by_value:
            cloudpickle.unregister_pickle_by_value(module)
    if len(data) > limits.PROOF_MADE_BYTES_MAX:
        raise errors.UsageError(
            f"{what}: {units.format_bytes(len(data))} go with the function.",
            hint="It refers to large data: make that in the function, or in setup=.",
        )
    return data


def _is_importable(function: Callable[..., Any], module: str, name: str) -> bool:
    """Whether a fresh process that imports the module finds the same function under that name."""
    loaded = sys.modules.get(module)
    if loaded is None or module == "__main__" or not _DOTTED.fullmatch(name):
        return False
    value: object = loaded
    for part in name.split("."):
        value = getattr(value, part, None)
    return value is function and _is_findable(loaded)


def _is_findable(module: ModuleType) -> bool:
    """Whether the import system, asked anew, finds this file under this name. That of a test often it does not."""
    path: Sequence[str] | None = None
    spec: ModuleSpec | None = None
    parts = module.__name__.split(".")
    for count in range(1, len(parts) + 1):
        spec = _found(".".join(parts[:count]), path)
        if spec is None:
            return False
        path = spec.submodule_search_locations
    origin: str | None = spec.origin if spec is not None else None
    file: str | None = getattr(module, "__file__", None)
    if file is None or origin is None:
        return origin in {"built-in", "frozen"}
    return os.path.realpath(origin) == os.path.realpath(file)


def _found(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """As `importlib.util.find_spec`, which answers from what is loaded."""
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        with contextlib.suppress(Exception):  # somebody's finder
            if find is not None and isinstance(spec := find(name, path), ModuleSpec):
                return spec
    return None


def _command(words: Sequence[object], what: str) -> Scenario:
    argv = tuple(os.fspath(word) if isinstance(word, os.PathLike) else word for word in words)
    if not argv or not all(isinstance(word, str) for word in argv):
        raise errors.UsageError(f"{what}: {list(words)!r} is not a command: a list of words.", hint=_HINT)
    command = tuple(str(word) for word in argv)
    if not any(PLACE in word for word in command):
        raise errors.UsageError(
            f"{what}: the command {' '.join(command)!r} has no {PLACE} in it.",
            hint="Write {n} where the number of items goes: node job.js {n}",
        )
    return Scenario(" ".join(command), None, command)


def _functions_of_n(path: Path) -> list[str]:
    """By the file's text: it is not imported here, where it could do anything."""
    import ast

    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError) as error:
        raise errors.UsageError(f"{path.name} cannot be read as Python: {error}.") from None
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            arguments = [*node.args.posonlyargs, *node.args.args]
            if arguments and arguments[0].arg == "n":
                found.append(node.name)
    return found
