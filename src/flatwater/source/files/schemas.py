"""What a row is to be: the fields of a schema, and how text and columns become rows of it.

Covers:     dataclasses, msgspec Structs, TypedDicts, attrs classes, `dict`; names, required fields, which take an
            empty text.
Not here:   reading (`files.json_rows`, `files.csv_rows`, `files.parquet_rows`), other builders (`build`).
Holds:      the fields of one schema.
"""

from __future__ import annotations

from typing import Any, NamedTuple, final

import msgspec

from flatwater import errors

BAD_ROW_ERRORS = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)


class Field(NamedTuple):
    """One field.

    Attributes:
        name: as in the file.
        is_required: a row without it is refused.
        takes_empty: an empty text is a value of it.
        takes_none: so is nothing.
    """

    name: str
    is_required: bool
    takes_empty: bool
    takes_none: bool


@final
class RowSchema:
    """What rows are to be.

    Args:
        schema: a dataclass, msgspec.Struct, TypedDict or attrs class, `dict`, or a `dict[str, ...]`.

    Attributes:
        schema: as given.
        fields: its fields; None for dicts, which have what the file has.

    Raises:
        UsageError: it is none of these.
    """

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self.is_plain = schema is dict
        self.fields: list[Field] | None = None
        try:
            found = msgspec.inspect.type_info(schema)
        except (TypeError, NameError, RecursionError) as error:
            raise errors.UsageError(f"{_named(schema)} is no schema of rows: {error}.", hint=_HINT) from None
        kinds = (msgspec.inspect.StructType, msgspec.inspect.DataclassType, msgspec.inspect.TypedDictType)
        if isinstance(found, kinds):
            if isinstance(found, msgspec.inspect.StructType) and found.array_like:
                raise errors.UsageError(f"{_named(schema)} is like an array, and has no names.", hint=_HINT)
            self.fields = [Field(each.encode_name, each.required, *_empties(each.type)) for each in found.fields]
        elif not isinstance(found, msgspec.inspect.DictType):
            raise errors.UsageError(f"{_named(schema)} is no schema of rows.", hint=_HINT)

    def converted(self, rows: list[dict[str, Any]], *, strict: bool) -> list[Any]:
        """Rows of the schema.

        Raises:
            one of BAD_ROW_ERRORS: some row is none.
        """
        if self.is_plain:
            return rows
        found: list[Any] = msgspec.convert(rows, list[self.schema], strict=strict)  # type: ignore[name-defined]
        return found

    def one(self, row: dict[str, Any], *, strict: bool) -> Any:
        """One row of the schema.

        Raises:
            one of BAD_ROW_ERRORS: it is none.
        """
        return row if self.is_plain else msgspec.convert(row, self.schema, strict=strict)

    def columns(self, names: list[str], file: str) -> list[int]:
        """Which columns of a file are wanted, by their place.

        Raises:
            CorruptError: one that every row needs is not there, or one that is wanted is there twice.
        """
        if self.fields is None:
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise errors.CorruptError(
                    f"{file} has two columns named {twice[0]!r}.", hint="Pass header=[...] with names."
                )
            return list(range(len(names)))
        wanted = {field.name for field in self.fields}
        missing = [field.name for field in self.fields if field.is_required and field.name not in names]
        if missing:
            shown = ", ".join(names[:20]) or "none"
            raise errors.CorruptError(
                f"{file} has no column {missing[0]!r}, which {_named(self.schema)} requires; it has {shown}.",
                hint="Give the field a default, or look at the delimiter and the header.",
            )
        twice = sorted({name for name in names if name in wanted and names.count(name) > 1})
        if twice:
            raise errors.CorruptError(
                f"{file} has two columns named {twice[0]!r}.", hint="Pass header=[...] with names."
            )
        return [place for place, name in enumerate(names) if name in wanted]


_HINT = "Pass a dataclass, a msgspec.Struct, a TypedDict or dict."


def _named(schema: Any) -> str:
    return getattr(schema, "__name__", None) or repr(schema)


def _empties(kind: Any) -> tuple[bool, bool]:
    """Whether a type takes an empty text, and None."""
    inspect = msgspec.inspect
    if isinstance(kind, inspect.UnionType):
        each = [_empties(one) for one in kind.types]
        return any(empty for empty, _ in each), any(none for _, none in each)
    if isinstance(kind, inspect.AnyType):
        return True, True
    if isinstance(kind, inspect.LiteralType):
        return "" in kind.values, None in kind.values
    takes_text = isinstance(kind, inspect.StrType | inspect.BytesType | inspect.ByteArrayType | inspect.CustomType)
    return takes_text, isinstance(kind, inspect.NoneType)
