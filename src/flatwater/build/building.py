"""Build typed objects field by field, by code that is generated once for a schema.

Covers:     `builder`, its factories, fluent builders, `make`, presets, validation, optional pools.
Not here:   rows for a sink (`build.batch`), reading schemas (`build.schemas`), the generated text (`build.generate`).
Holds:      what one object needs until it is built; a factory about 1 KiB for each field, for as long as it lives.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, final, overload

from flatwater import errors
from flatwater.build import generate
from flatwater.build.checking import checked_assembler
from flatwater.build.schemas import COPIED, MISSING, Copies, Field, Schema, missing, read, unknown, unknown_all

if TYPE_CHECKING:
    from flatwater.build.pools import Pool

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Builder(Generic[T_co]):
    """Sets fields one by one, then builds. Made by a factory; one thread at a time.

    `with_<field>(value)` sets a field and returns the builder. It keeps its values after `build()`, so one builder can
    make many objects that differ in a field or two; no object is changed by what is built after it.
    """

    __slots__ = ()
    _schema: Schema
    _slots: dict[str, str]
    _fill: Callable[[Self], None]
    _clear: Callable[[Self], None]

    if TYPE_CHECKING:  # what is generated, as far as a type checker can know it: any name, any value, the builder again

        def __getattr__(self, name: str) -> Callable[[Any], Self]:
            """`with_<field>`."""

        def build(self) -> T_co:
            """The object; every call makes a new one.

            Raises:
                UsageError: required fields are not set; names them all.
                InvalidError: of a validating builder; names every value that is wrong.
            """

    def set(self, name: str, value: object) -> Self:
        """Set a field by its name, whatever the name is.

        Raises:
            UsageError: there is no such field; with the nearest name.
        """
        slot = self._slots.get(name) if isinstance(name, str) else None
        if slot is None:
            raise unknown(name, self._slots, self._schema.name)
        setattr(self, slot, value)
        return self

    def reset(self) -> Self:
        """Forget all values."""
        type(self)._clear(self)  # noqa: SLF001 - its own kind
        return self

    def __repr__(self) -> str:
        shown = []
        for name, slot in list(self._slots.items())[:20]:
            value = getattr(self, slot, MISSING)
            if value is not MISSING:
                shown.append(f"{name}={reprlib.repr(value)}")
        return f"<builder of {self._schema.name}: {', '.join(shown) or 'nothing set'}>"

    def __reduce__(self) -> str:
        raise errors.UsageError(
            f"a builder of {self._schema.name} cannot be pickled or copied: its class is made at run time.",
            hint="Send the factory, or the object it builds.",
        )


@final
class Factory(Generic[T]):
    """Makes builders, and objects, of one schema. Made by `builder`. Thread-safe.

    Attributes:
        create: gives a fluent builder; so does calling the factory.
        make: builds one object from keywords; fields with a default may be left out.
        fields: the names, in order.
    """

    __slots__ = ("__weakref__", "_how", "_pool", "_schema", "_source", "create", "fields", "make")

    create: Callable[[], Builder[T]]
    make: Callable[..., T]

    def __init__(self, source: Any, schema: Schema, *, validate: bool, pooled: bool, presets: dict[str, Any]) -> None:
        self._source = source
        self._schema = schema
        self._how = (validate, pooled, presets)
        self.fields = schema.names
        self._pool: Pool | None = None
        schema = _with_presets(schema, presets)
        check = checked_assembler(schema) if validate or schema.checks_itself else None
        kind = make_class(schema)
        if pooled:
            from flatwater.build.pools import Pool

            self._pool = Pool(kind, schema, check)
            self.create = self._pool.take
        else:
            functions = generate.life(schema, refuse=refuse_unset, check=check)
            finish(kind, functions)
            self.create = generate.opener(kind, schema, checked=check is not None)
        self.make = generate.maker(schema, check)

    def __call__(self) -> Builder[T]:
        """`create`."""
        return self.create()

    def template(self, /, **presets: Any) -> Factory[T]:
        """A factory with these values as defaults. Lists, dicts and sets among them are copied for each object.

        Raises:
            UsageError: there is no such field.
        """
        strange = [name for name in presets if name not in self.fields]
        if strange:
            raise unknown_all(strange, self.fields, self._schema.name)
        validate, pooled, before = self._how
        return Factory(self._source, self._schema, validate=validate, pooled=pooled, presets=before | presets)

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (self._source, *self._how)

    def __repr__(self) -> str:
        return f"<builder factory of {self._schema.name}: {len(self.fields)} fields>"


@overload
def builder(schema: type[T], *, validate: bool = False, pooled: bool = False) -> Factory[T]: ...
@overload
def builder(schema: Iterable[str], *, validate: bool = False, pooled: bool = False) -> Factory[dict[str, Any]]: ...
def builder(schema: Any, *, validate: bool = False, pooled: bool = False) -> Factory[Any]:
    """A factory of fluent builders for `schema`; the code is generated here, once.

    Args:
        schema: a list of names (which builds dicts), a dataclass, a msgspec Struct, a TypedDict, a pydantic model, or any
            class: one with a constructor is built through it, one without gets its annotated attributes set.
        validate: check every value against its annotation before building; all that is wrong is told at once. A pydantic
            model always checks itself.
        pooled: keep used builders for later, at most 1,000 in all pools of the process. In CPython this costs more than
            it saves; it is there to be compared. See `pool_stats`.

    Make the factory once, where the schema stands, and not inside a loop.

    Raises:
        UsageError: it is no schema, a name is empty or comes twice, an annotation cannot be resolved or validated.

    Memory: about 1 KiB for each field, once. Thread-safe: a factory may be shared, a builder belongs to one thread.

    >>> import dataclasses
    >>> @dataclasses.dataclass(slots=True)
    ... class User:
    ...     name: str
    ...     age: int
    ...     tags: list[str] = dataclasses.field(default_factory=list)
    >>> users = builder(User)
    >>> users.create().with_name("John").with_age(3).build()
    User(name='John', age=3, tags=[])
    >>> users.make(name="Ann", age=4)
    User(name='Ann', age=4, tags=[])
    >>> users.template(age=18).make(name="Eve")
    User(name='Eve', age=18, tags=[])
    >>> users.make(nmae="Ann", age=4)
    Traceback (most recent call last):
    flatwater.errors.UsageError: User has no field 'nmae' (did you mean 'name'?). It has 'name', 'age', 'tags'.
    """
    found = read(schema)
    source = schema if found.is_typed else list(found.names)  # an iterator of names was used up
    return Factory(source, found, validate=bool(validate), pooled=bool(pooled), presets={})


def _again(source: Any, validate: bool, pooled: bool, presets: dict[str, Any]) -> Factory[Any]:  # noqa: FBT001 - as pickled
    """A pickled factory, made anew where it is unpickled: code is not sent."""
    return Factory(source, read(source), validate=validate, pooled=pooled, presets=presets)


def make_class(schema: Schema, bases: tuple[type, ...] = (Builder,)) -> Any:
    """The class of builders of `schema`, with a slot and a setter for each field."""
    slots = {field.name: f"v{number}" for number, field in enumerate(schema.fields)}
    body: dict[str, Any] = {
        "__slots__": tuple(slots.values()),
        "_schema": schema,
        "_slots": slots,
        "__module__": __name__,
    }
    return type(f"{schema.name}Builder", bases, body)


def finish(kind: Any, functions: dict[str, Any]) -> None:
    """Give a class of builders its setters and its life."""
    for name, setter in generate.setters(kind._schema).items():  # noqa: SLF001 - two halves of one noun
        setattr(kind, name, setter)
    kind.build, kind._fill, kind._clear = functions["build"], functions["fill"], functions["clear"]  # noqa: SLF001 - the same


def refuse_unset(made: Builder[Any]) -> None:
    """Raise for the required fields that are not set, if there are any."""
    schema = made._schema  # noqa: SLF001 - two halves of one noun
    unset = [
        field.name
        for number, field in enumerate(schema.fields)
        if field.is_required and getattr(made, f"v{number}", MISSING) is MISSING
    ]
    if unset:
        raise missing(unset, schema.name) from None


def _with_presets(schema: Schema, presets: dict[str, Any]) -> Schema:
    import dataclasses

    def field_with(field: Field) -> Field:
        if field.name not in presets:
            return field
        value = presets[field.name]
        if isinstance(value, COPIED):
            return dataclasses.replace(field, default=MISSING, factory=Copies(value), may_be_absent=False)
        return dataclasses.replace(field, default=value, factory=None, may_be_absent=False)

    return dataclasses.replace(schema, fields=tuple(map(field_with, schema.fields))) if presets else schema
