"""Check the values of an object before it is built, and say everything that is wrong with them.

Covers:     all fields in one call of msgspec; each by itself where one is wrong; pydantic's own findings, in one form.
Not here:   unknown and forgotten names, which are errors of the program (`build.schemas`).
Holds:      two small classes for a schema, by which msgspec remembers its types.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable
from typing import Any, final

from flatwater import errors, limits
from flatwater.build.findings import findings
from flatwater.build.generate import assembler
from flatwater.build.schemas import MISSING, Schema, Unresolved

PROBLEMS_SHOWN = 20  # in the message; all of them are in `problems`


class InvalidError(errors.FlatwaterError, ValueError):
    """Values that the schema does not allow: every one of them, not the first.

    Unlike `UsageError` it is the data's fault, so a reader of foreign data catches it.

    Attributes:
        problems: `(field, reason)` of each.

    >>> print(InvalidError("User", [("age", "Expected `int`, got `str`"), ("name", "is not set")]))
    User is not valid: age: Expected `int`, got `str`; name: is not set.
    """

    def __init__(self, of: str, problems: Iterable[tuple[str, str]]) -> None:
        self.of = of
        self.problems = tuple(problems)
        shown = "; ".join(f"{field}: {reason}" for field, reason in self.problems[:PROBLEMS_SHOWN])
        more = len(self.problems) - PROBLEMS_SHOWN
        super().__init__(f"{of} is not valid: {shown}{f'; and {more} more' if more > 0 else ''}.")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.of, self.problems)


@final
class Checker:
    """Turns a tuple of given values into a tuple of checked ones. Thread-safe.

    Args:
        schema: whose fields have types.

    Raises:
        UsageError: there are no types, or one that msgspec cannot check.
    """

    def __init__(self, schema: Schema) -> None:
        if not schema.is_typed:
            raise errors.UsageError(
                "a list of names has no types to validate by.", hint="Pass a TypedDict, a Struct or a dataclass."
            )
        for field in schema.fields:
            if isinstance(field.type, Unresolved):
                field.type.refuse()
            _refuse_uncheckable(schema.name, field.name, field.type)
        from msgspec import ValidationError, convert, defstruct, structs

        self.schema = schema
        # msgspec keeps what it knows of a type with a class: a bare `tuple[...]` would be read anew at each call.
        named = [(f"v{number}", field.type) for number, field in enumerate(schema.fields)]
        self.whole = defstruct("Given", named, array_like=True, gc=False)
        self._partly = defstruct("Given", [(*pair, MISSING) for pair in named], gc=False)
        # Looked up once: an import statement costs as much as the check.
        self.convert: Callable[[Any, Any], Any] = convert
        self.values_of: Callable[[Any], tuple[Any, ...]] = structs.astuple
        self.wrong = ValidationError

    def __call__(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """The values, converted where the type says so; `MISSING` stays where it is allowed.

        Raises:
            InvalidError: with every problem.
        """
        try:
            return self.values_of(self.convert(given, self.whole))
        except self.wrong:
            pass  # something is wrong, or not set
        if any(value is MISSING for value in given):
            fields = zip(self.schema.fields, given, strict=True)
            if not any(value is MISSING and field.is_required for field, value in fields):
                there = {f"v{number}": value for number, value in enumerate(given) if value is not MISSING}
                with contextlib.suppress(self.wrong):
                    return self.values_of(self.convert(there, self._partly))
        raise InvalidError(self.schema.name, self._problems(given))

    def _problems(self, given: tuple[Any, ...]) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for field, value in zip(self.schema.fields, given, strict=True):
            if len(found) >= limits.BUILD_PROBLEMS_MAX:
                found.append((self.schema.name, f"has more wrong values than these {limits.BUILD_PROBLEMS_MAX:,}"))
                break
            if value is MISSING:
                if field.is_required:
                    found.append((field.name, "is not set"))
                continue
            reasons = findings(self.convert, self.wrong, field.type, value)
            found += [
                (field.name, reason) for reason in itertools.islice(reasons, limits.BUILD_PROBLEMS_MAX - len(found))
            ]
        # A value that changes while it is looked at could be right by now.
        return found or [(self.schema.name, "changed while it was checked")]


def _refuse_uncheckable(of: str, name: str, kind: object) -> None:
    from msgspec import ValidationError, convert

    try:
        convert(None, kind)
    except ValidationError:
        pass  # None is not allowed: that is an answer
    except Exception as error:
        raise errors.UsageError(
            f"{of}.{name} cannot be validated: {error}.", hint="Leave validate=True out, or simplify its annotation."
        ) from error


def checked_assembler(schema: Schema) -> Callable[[tuple[Any, ...]], Any]:
    """A function of the tuple of values, unset ones `MISSING`, that checks them and builds one object."""
    if schema.checks_itself:
        assemble = assembler(schema, telling_all(schema))
        return lambda given: assemble(*given)
    check = Checker(schema)
    assemble = assembler(schema)
    return lambda given: assemble(*check(given))


def telling_all(schema: Schema) -> Callable[..., Any]:
    """The constructor of a pydantic class, whose error is put in our form."""
    from pydantic import ValidationError

    cls = schema.cls
    own: dict[Any, str] = {field.key: field.name for field in schema.fields}  # pydantic tells aliases

    def construct(**given: Any) -> Any:
        try:
            return cls(**given)
        except ValidationError as error:
            problems = [
                (".".join(map(str, (own.get(first, first), *rest))), _reason(one))
                for one in error.errors(include_url=False)
                for first, *rest in [one["loc"] or (schema.name,)]
            ]
            raise InvalidError(schema.name, problems) from error

    return construct


def _reason(found: Any) -> str:
    return "is not set" if found["type"] == "missing" else str(found["msg"])
