"""Public names of a package, each imported when it is first used.

Covers:     `__getattr__` and `__dir__` of a package (PEP 562) from a table of names and where they live.
Not here:   the tables, which stand in the packages.
Holds:      the table.

A command that needs one name of a floor does not pay for the others: half of the start of `flatwater run` was that.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping


def names(
    package: str,
    homes: Mapping[str, str],
    modules: tuple[str, ...] = (),
    missing: Callable[[str, str], ImportError | None] = lambda _name, _library: None,
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The package's `__getattr__` and `__dir__`.

    Args:
        package: its name.
        homes: a public name, and the module that it is taken from.
        modules: public submodules.
        missing: the error to raise, by a name and the library without which its module cannot be imported; None for Python's own.

    No name may also be that of a submodule: importing the submodule would put it in the name's place.

    >>> get, listed = names("flatwater", {"Probe": "flatwater.meter.probe"}, ("units",))
    >>> get("Probe").__name__, listed()
    ('Probe', ['Probe', 'units'])
    """

    def get(name: str) -> object:
        if name in homes:
            try:
                value: object = getattr(importlib.import_module(homes[name]), name)
            except ModuleNotFoundError as error:
                if error.name and not error.name.startswith("flatwater") and (better := missing(name, error.name)):
                    raise better from error
                raise
        elif name in modules:
            value = importlib.import_module(f"{package}.{name}")
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        setattr(sys.modules[package], name, value)
        return value

    def listed() -> list[str]:
        return sorted([*homes, *modules])

    return get, listed
