"""Find the function that a text names.

Covers:     "module:function" and "file.py::function", a file imported by its path.
Not here:   calling it (`rounds`).
Holds:      nothing; what it imports stays imported.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any

from flatwater import errors
from flatwater.proof.leaks import rounds

_FORMS = "Write 'package.module:function' or 'file.py::function'."


def resolve(text: str) -> Callable[[], Any]:
    """The function.

    A file is imported under its own name, or with a few figures behind it where another module has that name already;
    its folder is put at the head of the path, as Python does for a script, so that it finds its neighbours.

    Raises:
        UsageError: there is no such file, module or function, or importing it fails; the cause is set.

    >>> resolve("json:dumps").__name__
    'dumps'
    """
    if "::" in text:
        path, _, name = text.partition("::")
        module = _import_file(path)
    elif ":" in text:
        path, _, name = text.partition(":")
        module = _import_module(path)
    else:
        raise errors.UsageError(f"{text!r} names no function.", hint=_FORMS)
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
        if found is None:
            near = [word for word, value in vars(module).items() if callable(value) and not word.startswith("_")]
            hint = f"It has {', '.join(sorted(near)[:8])}." if near else _FORMS
            raise errors.UsageError(f"{path} has no function {name!r}.", hint=hint)
    if not callable(found):
        raise errors.UsageError(f"{text!r} is a {type(found).__name__}, which cannot be called.", hint=_FORMS)
    function: Callable[[], Any] = found
    return function


def _import_module(name: str) -> Any:
    if not all(part.isidentifier() for part in name.split(".")):
        raise errors.UsageError(f"{name!r} is no name of a module.", hint=_FORMS)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise _failed(name, error) from error
        raise errors.UsageError(
            f"there is no module {name!r}.", hint="Is its folder on PYTHONPATH? A file is named 'file.py::function'."
        ) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _failed(name, error) from error


def _import_file(path: str) -> Any:
    real = os.path.realpath(path)
    if not os.path.isfile(real):
        raise errors.UsageError(f"there is no file {path!r}.", hint=_FORMS)
    stem = os.path.splitext(os.path.basename(real))[0].replace("-", "_").replace(".", "_")
    for name in (stem, f"{stem}_{hashlib.sha256(real.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"):
        known = sys.modules.get(name)
        if known is not None and os.path.realpath(getattr(known, "__file__", None) or "") == real:
            return known
        if known is None and (name != stem or not _is_another(name, real)):
            break
    spec = importlib.util.spec_from_file_location(name, real)
    if spec is None or spec.loader is None:
        raise errors.UsageError(f"{path!r} is no Python file.", hint=_FORMS)
    module = importlib.util.module_from_spec(spec)
    folder = os.path.dirname(real)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    sys.modules[name] = module  # before it runs: pickles and dataclasses look there
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        sys.modules.pop(name, None)
        if isinstance(error, KeyboardInterrupt):
            raise
        raise _failed(path, error) from error
    return module


def _is_another(name: str, real: str) -> bool:
    """Whether importing this name would give another module: the file must not stand in its place."""
    if name in sys.stdlib_module_names:
        return True
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return False
    return spec is not None and os.path.realpath(spec.origin or "") != real


def _failed(name: str, error: BaseException) -> errors.UsageError:
    what = f"importing {name} failed with {rounds.line_of(error)}."
    return errors.UsageError(what, hint="It must be importable by itself.")
