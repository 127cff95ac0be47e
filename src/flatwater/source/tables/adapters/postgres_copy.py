"""Which rows COPY takes for the same as INSERT does.

Covers:     types of Python that mean the same in both, by the type of a column.
Not here:   sending them (`postgres`).
Holds:      nothing.

COPY reads text by the rules of the column's type; INSERT casts a value that has a type of its own. They differ: a time with a
zone, put into a column without, keeps its figures in COPY, and is converted by INSERT. Only what is the same goes by COPY.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from flatwater.source.tables.forms import Row, bare_type

_NONE = type(None)
_WHOLE = frozenset((int, str, _NONE))
_NUMBER = frozenset((int, float, Decimal, str, _NONE))
_EXACT = _NUMBER - {float}  # 2.0 would be 2.0, and is 2
_SAME: Mapping[str, frozenset[type]] = {
    "smallint": _WHOLE, "integer": _WHOLE, "bigint": _WHOLE, "oid": _WHOLE,
    "real": _NUMBER, "double precision": _NUMBER, "numeric": _EXACT,
    "text": _WHOLE, "character varying": _WHOLE, "character": _WHOLE, "name": _WHOLE,
    "boolean": frozenset((bool, str, _NONE)),
    "bytea": frozenset((bytes, _NONE)),
    "uuid": frozenset((UUID, str, _NONE)),
    "json": frozenset((str, _NONE)), "jsonb": frozenset((str, _NONE)),
    "date": frozenset((date, str, _NONE)),
    "interval": frozenset((timedelta, str, _NONE)),
    "timestamp with time zone": frozenset((datetime, str, _NONE)),
    "timestamp without time zone": frozenset((datetime, str, _NONE)),
    "time without time zone": frozenset((time, str, _NONE)),
}  # fmt: skip
_TEXT = frozenset((str, _NONE))  # of any other type: text is read by the same rules in both


def is_same(kinds: Sequence[str], rows: Sequence[Row]) -> bool:
    """Whether COPY makes of all these values what INSERT does.

    Args:
        kinds: of the columns, as PostgreSQL says them.
        rows: that are to be written; one at least.
    """
    for kind, values in zip(map(bare_type, kinds), zip(*rows, strict=True), strict=True):
        if not _SAME.get(kind, _TEXT).issuperset(map(type, values)):
            return False
        if kind.endswith("without time zone") and any(getattr(value, "tzinfo", None) is not None for value in values):
            return False
    return True
