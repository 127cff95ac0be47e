"""Write the public names, with their signatures, to api/flatwater.txt: `make api`.

A name is public if a package's `__all__` has it; of a class, what does not begin with an underscore. What this file's test finds changed is a
change of the interface: for users, and for the changelog.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import re
import types
from collections.abc import Iterator
from pathlib import Path

import flatwater as fw

TARGET = Path(__file__).parent / "flatwater.txt"
ADDRESS = re.compile(r" at 0x[0-9a-f]+")
MODULES = (
    "adapters.asgi", "adapters.django", "adapters.flask", "adapters.gunicorn", "adapters.intake", "adapters.uvicorn", "adapters.wsgi",
)  # fmt: skip


def lines() -> Iterator[str]:
    """The whole interface, a line a name."""
    for prefix, module, names in modules():
        for name in names:
            yield from _of(f"{prefix}.{name}", getattr(module, name))


def modules() -> Iterator[tuple[str, types.ModuleType, list[str]]]:
    """`(name, module, public names)` of the package, its floors, and the modules that are imported by name."""
    floors = sorted(
        name for name in dir(fw) if isinstance(getattr(fw, name), types.ModuleType) and not name.startswith("_")
    )
    yield "flatwater", fw, [name for name in _names(fw) if name not in floors]
    for floor in [*floors, *MODULES]:
        module = importlib.import_module(f"flatwater.{floor}")
        if floor != "limits":  # numbers, which have a page of their own
            yield f"flatwater.{floor}", module, _names(module)


def _names(module: types.ModuleType) -> list[str]:
    names = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]
    return sorted(name for name in names if not name.startswith("__"))


def _of(name: str, value: object) -> Iterator[str]:
    if isinstance(value, type) and issubclass(value, enum.Enum):
        yield f"{name}: enum {', '.join(member.name for member in value)}"
    elif isinstance(value, type):
        bases = ", ".join(each.__name__ for each in value.__bases__ if each is not object)
        yield f"{name}: class({bases}){_signature(value)}"
        for inner, member in sorted(vars(value).items()):
            if inner.startswith("_"):
                continue
            yield f"{name}.{inner}: {_member(member)}"
    elif callable(value) and not isinstance(value, types.ModuleType):
        yield f"{name}: function{_signature(value)}"
    elif isinstance(value, types.ModuleType):
        yield f"{name}: module"
    else:
        yield f"{name}: {type(value).__name__}"


def _member(member: object) -> str:
    if isinstance(member, property):
        return "property"
    if isinstance(member, classmethod | staticmethod):
        return f"{type(member).__name__}{_signature(member.__func__)}"
    if inspect.isfunction(member):
        return ("async " if inspect.iscoroutinefunction(member) else "") + f"method{_signature(member)}"
    return "attribute"


def _signature(value: object) -> str:
    """Names and defaults: annotations are what `tests/typing` looks at."""
    try:
        signature = inspect.signature(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "(...)"
    parts = [each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()]
    text = str(signature.replace(parameters=parts, return_annotation=inspect.Signature.empty))
    return ADDRESS.sub("", text)


def text() -> str:
    """All of it."""
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
