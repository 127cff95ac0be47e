"""Generate the code of a builder: setters, `build`, `make`, without a name of the user's in its text.

Covers:     functions for one schema, for each way to build it; the class of its fluent builders.
Not here:   reading a schema (`build.schemas`), what a validated build checks (`build.checking`), pools (`build.pools`).
Holds:      nothing; the code of a schema is about 1 KiB for each field.

The text that is compiled knows fields by number only: `p0`, `k0`, `v0`. Names come in afterwards, as constants, parameter
names and attribute names of the code object, where any string is only a string.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from flatwater.build.schemas import MISSING, Schema, missing, unknown_all

_PLACEHOLDER = re.compile(r"[pks]\d+")


def renamed(code: types.CodeType, names: Mapping[str, str]) -> types.CodeType:
    """`code` with placeholders replaced in its name, parameters, attributes and constants."""

    def constant(value: Any) -> Any:
        if isinstance(value, str):
            return names.get(value, value)
        if isinstance(value, tuple):
            return tuple(map(constant, value))
        return renamed(value, names) if isinstance(value, types.CodeType) else value

    return code.replace(
        co_name=names.get(code.co_name, code.co_name),
        co_qualname=names.get(code.co_qualname, code.co_qualname),
        co_varnames=tuple(names.get(name, name) for name in code.co_varnames),
        co_names=tuple(names.get(name, name) for name in code.co_names),
        co_consts=tuple(map(constant, code.co_consts)),
    )


def compiled(text: str, names: Mapping[str, str], values: dict[str, Any]) -> dict[str, Any]:
    """The functions that `text` defines, over `values` as their globals, with the placeholders replaced."""
    assert all(_PLACEHOLDER.fullmatch(name) for name in names)
    values["__builtins__"] = {"AttributeError": AttributeError, "KeyError": KeyError}
    values["__name__"] = __name__
    before = dict(values)
    # Renamed before it runs, because CPython 3.13 never specialises calls of a function whose code was set afterwards.
    exec(renamed(compile(text, "<flatwater builder>", "exec"), names), values)  # noqa: S102 - the text is ours alone, see above
    return {
        name: value
        for name, value in values.items()
        if value is not before.get(name) and isinstance(value, types.FunctionType)
    }


def placeholders(schema: Schema) -> dict[str, str]:
    """What stands for which name: `p` for the field's own, `k` for its constructor's."""
    own = {f"p{number}": field.name for number, field in enumerate(schema.fields)}
    return own | {f"k{number}": field.key for number, field in enumerate(schema.fields)}


def values_of(schema: Schema, cls: Any = None) -> dict[str, Any]:
    """The globals of generated code: the class, defaults and factories, by number."""
    found: dict[str, Any] = {"T": cls or schema.cls, "U": MISSING, "new": object.__new__}
    for number, field in enumerate(schema.fields):
        if field.factory is not None:
            found[f"F{number}"] = field.factory
        elif field.default is not MISSING:
            found[f"D{number}"] = field.default
    return found


def assembly(schema: Schema, given: str, indent: str, *, with_defaults: bool = False) -> str:
    """Statements that build one object from `{given}0`, `{given}1`, ... and return it; what is unset is `U`.

    With `with_defaults` that may be any optional field, else only those whose default is made for each object.
    """
    # A pydantic model says itself what is not set.
    numbered = [
        (number, replace(field, may_be_absent=field.may_be_absent or schema.checks_itself) if with_defaults else field)
        for number, field in enumerate(schema.fields)
    ]

    def value(number: int) -> str:
        name = f"{given}{number}"
        field = schema.fields[number]
        if field.factory is not None:
            return f"({name} if {name} is not U else F{number}())"
        return f"({name} if {name} is not U else D{number})" if with_defaults and field.default is not MISSING else name

    if schema.kind in {"dict", "keywords"}:
        always = ", ".join(f"'k{number}': {value(number)}" for number, field in numbered if not field.may_be_absent)
        maybe = [number for number, field in numbered if field.may_be_absent]
        result = "T(**o)" if schema.kind == "keywords" else "o"
        if not maybe and schema.kind == "dict":
            return f"{indent}return {{{always}}}\n"
        lines = [f"o = {{{always}}}"]
        lines += [f"if {given}{number} is not U: o['k{number}'] = {given}{number}" for number in maybe]
        lines.append(f"return {result}")
    elif schema.kind == "call":
        words = [(f"k{number}=" if field.by_keyword else "") + value(number) for number, field in numbered]
        lines = [f"return T({', '.join(words)})"]
    else:
        lines = ["o = T()" if schema.kind == "assign" else "o = new(T)"]
        lines += [f"o.p{number} = {value(number)}" for number, _field in numbered]
        lines.append("return o")
    return "".join(f"{indent}{line}\n" for line in lines)


def assembler(schema: Schema, cls: Any = None) -> Callable[..., Any]:
    """A function of all values in order, which builds one object; unset ones are `MISSING`."""
    numbers = range(len(schema.fields))
    text = f"def assemble({', '.join(f'p{number}' for number in numbers)}):\n" + assembly(
        schema, "p", "    ", with_defaults=True
    )
    made: Callable[..., Any] = compiled(text, placeholders(schema), values_of(schema, cls))["assemble"]
    return made


def preset(schema: Schema, number: int, *, checked: bool) -> str:
    """What a field is before it is set, as an expression; empty for a required one that nothing checks later."""
    field = schema.fields[number]
    if field.is_required and not checked:
        return ""
    return "U" if checked or field.factory is not None or field.may_be_absent else f"D{number}"


def maker(schema: Schema, check: Callable[[tuple[Any, ...]], Any] | None) -> Callable[..., Any]:
    """`make(**fields)`: one object from keywords, defaults for the others. With `check`, that builds it instead."""
    values = values_of(schema) | {"check": check}
    everything = "".join(f"p{number}, " for number in range(len(schema.fields)))
    work = f"    return check(({everything}))\n" if check else assembly(schema, "p", "    ")
    return append_function(schema, values, placeholders(schema), work, checked=check is not None)


def append_function(
    schema: Schema, values: dict[str, Any], names: Mapping[str, str], work: str, *, checked: bool
) -> Callable[..., Any]:
    """A function of keywords, one for each field, that does `work` with `p0`, `p1`, ... and refuses all else by name."""
    numbers = range(len(schema.fields))
    for number in numbers:
        values[f"c{number}"] = values[preset(schema, number, checked=checked) or "U"]
    everything = "".join(f"p{number}, " for number in numbers)
    required = [number for number in numbers if schema.fields[number].is_required]
    doubtful = ["_more"] + ([] if checked else [f"p{number} is U" for number in required])
    words = "".join(f"p{number}=c{number}, " for number in numbers)
    words = f"*, {words}" if words else ""
    text = f"def make({words}**_more):\n    if {' or '.join(doubtful)}:\n        refuse(({everything}), _more)\n{work}"

    def refuse(given: tuple[object, ...], more: Mapping[str, object]) -> None:
        if more:
            raise unknown_all(more, schema.names, schema.name)
        raise missing([schema.fields[number].name for number in required if given[number] is MISSING], schema.name)

    values["refuse"] = refuse
    made: Callable[..., Any] = compiled(text, names, values)["make"]
    return made


def setters(schema: Schema) -> dict[str, Callable[..., Any]]:
    """`with_<name>(value)` for each field, by their names."""
    # A `def` each: CPython 3.13 does not specialise calls of functions that `types.FunctionType` made.
    numbers = range(len(schema.fields))
    text = "".join(f"def s{number}(self, value):\n    self.v{number} = value\n    return self\n" for number in numbers)
    return compiled(text, {f"s{number}": f"with_{schema.fields[number].name}" for number in numbers}, {})


def life(
    schema: Schema,
    *,
    refuse: Callable[[Any], None],
    check: Callable[[tuple[Any, ...]], Any] | None = None,
    done: Callable[[Any], None] | None = None,
) -> dict[str, types.FunctionType]:
    """`build(self)`, `clear(self)` and `fill(self)` of a builder with slots `v0`, `v1`, ...

    Args:
        schema: what is built.
        refuse: raises, if anything required is unset; a builder is its argument.
        check: builds from the tuple of all values, after checking them.
        done: told of each builder that has built, before the object is returned.

    `fill` gives optional fields their presets, `clear` unsets the others as well.
    """
    numbers = range(len(schema.fields))
    presets = {number: preset(schema, number, checked=check is not None) for number in numbers}
    everything = "".join(f"self.v{number}, " for number in numbers)
    if check is not None:
        work = f"            o = check(({everything}))\n            done(self)\n            return o\n"
        work = work if done else f"            return check(({everything}))\n"
    elif done is not None:
        work = f"            o = assemble({everything})\n            done(self)\n            return o\n"
    else:
        work = assembly(schema, "self.v", "            ")
    # Without a `try` of its own cost: CPython enters one for nothing since 3.11.
    text = f"def build(self):\n        try:\n{work}        except AttributeError:\n            refuse(self)\n            raise\n"
    text += "def fill(self):\n    pass\n"
    text += "".join(f"    self.v{number} = {known}\n" for number, known in presets.items() if known)
    text += "def clear(self):\n    pass\n"
    for number, known in presets.items():
        text += f"    self.v{number} = {known or 'U'}\n"
    text += "".join(f"    del self.v{number}\n" for number, known in presets.items() if not known)
    values = values_of(schema)
    values |= {"refuse": refuse, "check": check, "done": done}
    if done is not None and check is None:
        values["assemble"] = assembler(schema)
    made = compiled(text, placeholders(schema), values)
    return {name: made[name] for name in ("build", "fill", "clear")}


def opener(builder: type, schema: Schema, *, checked: bool) -> Callable[[], Any]:
    """A function that makes a fresh builder: the class itself, where there is nothing to preset."""
    presets = {number: preset(schema, number, checked=checked) for number in range(len(schema.fields))}
    lines = [f"    b.v{number} = {known}\n" for number, known in presets.items() if known]
    if not lines:
        return builder
    text = "def create():\n    b = B()\n" + "".join(lines) + "    return b\n"
    values = values_of(schema)
    values["B"] = builder
    made: Callable[[], Any] = compiled(text, {}, values)["create"]
    return made
