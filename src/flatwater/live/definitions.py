"""What CREATE, ALTER and DROP say, as tables, columns and users.

Covers:     columns with their types and defaults, keys, the options of a table; columns that are added; options of users.
Not here:   keeping them (`live.catalog`), who may (`live.access`), reading the text (`live.statements`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlglot import exp

from flatwater import errors, limits
from flatwater.live.access import ROLES, Limits
from flatwater.live.catalog import UserRecord, check_name
from flatwater.live.schema import ACCESS_LEVELS, KINDS, NOW, SHARED, SNOWFLAKE, STREAM, Column, Schema
from flatwater.live.statements import ALTERS, Name, Sql, identifier, table_name
from flatwater.live.types import KEYS, Type, json_of

_OPTIONS = ("TYPE", "TTL_SECONDS", "ACCESS_LEVEL")
_MADE = {NOW: ("TIMESTAMP", "DATE"), "CURRENT_DATE": ("DATE",), SNOWFLAKE: ("BIGINT",)}  # and types that they have


def table_of(tree: exp.Create, number: int, born: int = 0) -> Schema:
    """The table that a CREATE TABLE makes; `number` and `born` as in `Schema`.

    Raises:
        UsageError: a column, the key or an option makes no sense.
    """
    made = tree.this
    if not isinstance(made, exp.Schema) or tree.args.get("expression") is not None:
        raise errors.UsageError("CREATE TABLE has no columns.", hint="CREATE TABLE name (id BIGINT PRIMARY KEY, ...).")
    name = table_name(made.this)
    columns: list[Column] = []
    key: list[str] = []
    for part in made.expressions:
        if isinstance(part, exp.ColumnDef):
            column, is_key = column_of(part)
            if is_key and key:
                raise errors.UsageError(
                    f"{table_name(made.this)} has two primary keys.",
                    hint=f"One of several columns is PRIMARY KEY ({', '.join([*key, column.name])}), behind the columns.",
                )
            columns.append(column)
            key += [column.name] * is_key
        elif isinstance(part, exp.PrimaryKey) and not key:
            key = [identifier(each.this if isinstance(each, exp.Ordered) else each) for each in part.expressions]
        else:
            raise errors.UsageError(
                f"{part.sql(dialect=Sql)!r} is not known in CREATE TABLE.", hint="Columns and PRIMARY KEY are."
            )
    kind, access, ttl_s = _options(tree)
    return _checked(
        Schema(number, name.namespace, name.name, kind, columns, key, access=access, ttl_s=ttl_s, born=born),
        columns,
        key,
    )


def _checked(schema: Schema, columns: Sequence[Column], key: Sequence[str]) -> Schema:
    if len(schema.columns) < len(columns):
        raise errors.UsageError(f"{schema.full_name} has a column twice.")
    if len(columns) > limits.LIVE_COLUMNS_MAX:
        raise errors.UsageError(
            f"{schema.full_name} has {len(columns)} columns.",
            hint=f"{limits.LIVE_COLUMNS_MAX} are possible: put some into JSON.",
        )
    if not key:
        raise errors.UsageError(
            f"{schema.full_name} has no primary key.", hint="Such as: id BIGINT PRIMARY KEY DEFAULT SNOWFLAKE_ID()."
        )
    for name in key:
        if name not in schema.columns:
            raise errors.UsageError(f"the key's {name!r} is no column of {schema.full_name}.")
        if schema.columns[name].type.name not in KEYS:
            raise errors.UsageError(
                f"{name!r} is {schema.columns[name].type}, which no key can be.",
                hint=f"Take one of {', '.join(sorted(KEYS))}.",
            )
    if len(set(key)) < len(key):
        raise errors.UsageError(f"the key of {schema.full_name} has a column twice.")
    required = [each._replace(is_required=True) if each.name in key else each for each in columns]
    return Schema(
        schema.number,
        schema.namespace,
        schema.name,
        schema.kind,
        required,
        key,
        access=schema.access,
        ttl_s=schema.ttl_s,
        is_changed=schema.is_changed,
        born=schema.born,
    )


def column_of(part: exp.ColumnDef) -> tuple[Column, bool]:
    """A column, and whether it is the primary key.

    Raises:
        UsageError: its type, default or a constraint is not known.
    """
    name = identifier(part.this)
    check_name(name, "column")
    if not isinstance(part.args.get("kind"), exp.DataType):
        raise errors.UsageError(f"the column {name!r} has no type.")
    kind = Type.of(part.args["kind"])
    is_key = is_required = is_made = False
    default: Any = None
    for constraint in part.args.get("constraints") or ():
        given = constraint.args.get("kind")
        if isinstance(given, exp.PrimaryKeyColumnConstraint):
            is_key = True
        elif isinstance(given, exp.NotNullColumnConstraint):
            is_required = not given.args.get("allow_null")
        elif isinstance(given, exp.DefaultColumnConstraint):
            default, is_made = _default(given.this, kind, name)
        else:
            raise errors.UsageError(
                f"{constraint.sql(dialect=Sql)!r} of {name!r} is not known.",
                hint="PRIMARY KEY, NOT NULL and DEFAULT are.",
            )
    return Column(name, kind, is_required, default, is_made), is_key


def _default(node: Any, kind: Type, name: str) -> tuple[Any, bool]:
    made = ""
    if isinstance(node, exp.CurrentTimestamp | exp.CurrentDate) and not node.this:
        made = NOW if isinstance(node, exp.CurrentTimestamp) else "CURRENT_DATE"
    elif isinstance(node, exp.Anonymous):
        made = node.name.upper() + "()"
    if made in _MADE:
        if kind.name not in _MADE[made]:
            raise errors.UsageError(f"{made} is {_MADE[made][0]}, and {name!r} is {kind}.")
        return SNOWFLAKE if made == SNOWFLAKE else NOW, True
    while isinstance(node, exp.Cast | exp.Paren):  # as pg_dump writes them: 'x'::text
        node = node.this
    value = constant(node)
    return kind.take(json_of(value, name) if kind.name == "JSON" and isinstance(value, str) else value, name), False


def constant(node: Any) -> Any:
    """The value of a literal.

    Raises:
        UsageError: it is none.
    """
    if isinstance(node, exp.Neg):
        value = constant(node.this)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return -value if isinstance(value, int) else value.copy_negate()
    elif isinstance(node, exp.Paren):
        return constant(node.this)
    elif isinstance(node, exp.Null):
        return None
    elif isinstance(node, exp.Boolean):
        return bool(node.this)
    elif isinstance(node, exp.Literal):
        if node.is_string:
            return str(node.this)
        return int(node.this) if node.is_int else Decimal(node.this)
    raise errors.UsageError(
        f"{node.sql(dialect=Sql)!r} is no value.", hint="A literal, NOW() or SNOWFLAKE_ID() is one, or a parameter."
    )


def _options(tree: exp.Create) -> tuple[str, str, int]:
    properties = tree.args.get("properties")
    given: dict[str, Any] = {}
    for part in properties.expressions if properties else ():
        name = part.name.upper() if isinstance(part, exp.Property) else type(part).__name__
        if not isinstance(part, exp.Property) or name not in _OPTIONS:
            raise errors.UsageError(
                f"{part.sql(dialect=Sql)!r} is no option of a table.", hint=f"{', '.join(_OPTIONS)} are."
            )
        given[name] = constant(part.args["value"])
    kind = str(given.get("TYPE", SHARED)).upper()
    if kind not in KINDS:
        raise errors.UsageError(f"TYPE={kind!r} is none.", hint=f"Take one of {', '.join(KINDS)}.")
    access = str(given.get("ACCESS_LEVEL", "PRIVATE")).upper()
    if access not in ACCESS_LEVELS or ("ACCESS_LEVEL" in given and kind != SHARED):
        raise errors.UsageError(
            f"ACCESS_LEVEL={access!r} of a {kind} table is none.",
            hint=f"A SHARED table has one of {', '.join(ACCESS_LEVELS)}.",
        )
    if kind == STREAM and "TTL_SECONDS" not in given:
        raise errors.UsageError(
            "a STREAM table needs TTL_SECONDS: after so many seconds its rows go.",
            hint="WITH (TYPE = 'STREAM', TTL_SECONDS = 60).",
        )
    ttl_s = given.get("TTL_SECONDS", 0)
    if (kind == STREAM) != bool(ttl_s) or type(ttl_s) is not int or not 0 <= ttl_s <= limits.LIVE_TTL_S_MAX:
        raise errors.UsageError(
            f"TTL_SECONDS={ttl_s!r} of a {kind} table makes no sense.",
            hint=f"A STREAM table has one from 1 to {limits.LIVE_TTL_S_MAX}, others have none.",
        )
    return kind, access, ttl_s


def added(tree: exp.Alter, schema: Schema) -> Schema:
    """A table with the columns that an ALTER TABLE adds.

    Raises:
        UsageError: it does something else, or a column is there, or rows that are there would lack a value.
    """
    columns = list(schema.columns.values())
    for action in tree.args.get("actions") or ():
        if not isinstance(action, exp.ColumnDef):
            raise errors.UsageError("this ALTER TABLE is not known.", hint=ALTERS)
        column, is_key = column_of(action)
        if any(column.name == each.name for each in columns):
            if action.args.get("exists"):
                continue
            raise errors.UsageError(f"{schema.full_name} has a column {column.name!r}.")
        if is_key or column.is_made:
            raise errors.UsageError(
                f"{column.name!r} cannot be added: rows that are there would have no value of their own.",
                hint="Add it without this default, UPDATE the rows that are there, and name the column in each INSERT."
                if column.is_made
                else "A key is said in CREATE TABLE.",
            )
        if column.is_required and column.default is None:
            raise errors.UsageError(
                f"{column.name!r} is NOT NULL without a default.", hint="Give it one: rows are there."
            )
        columns.append(column)
    made = Schema(
        schema.number,
        schema.namespace,
        schema.name,
        schema.kind,
        columns,
        schema.key,
        access=schema.access,
        ttl_s=schema.ttl_s,
        is_changed=True,
        born=schema.born,
    )
    return _checked(made, columns, schema.key)


def user_of(given: dict[str, Any], before: UserRecord | None) -> UserRecord:
    """A user with these options, and those he had.

    Raises:
        UsageError: an option is not known, or its value makes no sense.
    """
    record = before or UserRecord()
    role = str(given.pop("role", record.role)).lower()
    if role not in ROLES:
        raise errors.UsageError(f"the role {role!r} is none.", hint=f"Take one of {', '.join(ROLES)}.")
    figures = {name: getattr(record.limits, name) for name in Limits.__struct_fields__}
    for name, value in given.items():
        if name not in figures:
            raise errors.UsageError(
                f"{name.upper()!r} is no option of a user.", hint=f"ROLE, {', '.join(figures).upper()} are."
            )
        if not str(value).isdecimal() or not 0 < int(value) <= limits.LIVE_USER_BYTES:
            raise errors.UsageError(f"{name.upper()} = {value!r} is no number above 0.")
        figures[name] = int(value)
    return UserRecord(role, Limits(**figures))


def name_of(tree: Any) -> Name:
    """The table that CREATE, ALTER, DROP or DESCRIBE names."""
    made = tree.this if tree.args.get("this") is not None else (tree.args.get("tables") or [None])[0]
    return table_name(made.this if isinstance(made, exp.Schema) else made)


def namespace_of(tree: Any) -> str:
    """The namespace that CREATE or DROP names."""
    made = tree.this if tree.args.get("this") is not None else (tree.args.get("tables") or [None])[0]
    part = made.args.get("db") or made.this
    if made.args.get("db") and made.args.get("this"):
        raise errors.UsageError(f"{made.sql(dialect=Sql)} is no name of a namespace.")
    return identifier(part)
