"""What a verb reads, settled: columns, order, form, where to begin and end.

Covers:     the key, the check that an index serves, passes and single readings, tokens of a query.
Not here:   the verbs (`tables.table`), databases (`tables.adapters`).
Holds:      the shape of the table, and the orders that were checked.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from flatwater import errors, limits
from flatwater.source.tables import forms, tokens
from flatwater.source.tables.adapters.base import Adapter
from flatwater.source.tables.connecting import adapter_for
from flatwater.source.tables.explaining import check_served
from flatwater.source.tables.order import Order, OrderBy, check_columns, resolve
from flatwater.source.tables.reading import Key, Reading
from flatwater.source.tables.shape import Relation, Shape

if TYPE_CHECKING:
    from flatwater.source.tables.arrow import Batcher

# Comments may stand in front.
_SELECT = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:select|with|values|table)\s", re.IGNORECASE | re.DOTALL)
_NAME_PART = re.compile(r'"(?:[^"]|"")+"|[^".]+')
_QUOTED_NAME = re.compile(rf"(?:{_NAME_PART.pattern})(?:\.(?:{_NAME_PART.pattern}))*")
CONSISTENCIES = ("bounded", "live", "snapshot")


class Query(NamedTuple):
    """What a verb reads, settled."""

    relation: Relation
    order: Order
    form: forms.Form
    wrap: Batcher | None
    hint: str


class Queries:
    """A source and a relation; settles what is read of it."""

    def __init__(
        self,
        source: Any,
        name_or_select: Any,
        key: str | Sequence[str] | None,
        where: str,
        params: Sequence[object],
        secret: bytes | str | None,
    ) -> None:
        self._arguments = (source, name_or_select, key, where, tuple(_sequence(params)), secret)
        self._adapter, self._relation = _opened(source, name_or_select, where, tuple(params))
        self._key_given = key
        self._secret_given = secret
        self._is_closed = False

    def bytes_max(self, batch_bytes: str | int = limits.TABLE_BATCH_BYTES) -> int:
        """The most a pass holds at once, in bytes, beside the largest row."""
        room = errors.bytes_of(batch_bytes, what="batch_bytes", least=1)
        total = 0
        total += room  # the batch being built
        total += room  # the batch that the caller looks at
        total += self._adapter.bytes_max()  # the driver
        return total

    @functools.cached_property
    def _shape(self) -> Shape:
        return self._adapter.shape(self._relation)

    @functools.cached_property
    def _key(self) -> tuple[str, ...]:
        """Columns that are unique together."""
        shape = self._shape
        if self._key_given is None:
            if shape.key:
                return shape.key
            kind = "table" if self._relation.path else "select"
            raise errors.UsageError(
                f"{self._relation} is a {kind} without a primary key that is known.",
                hint='Give key="id" (or several columns): unique together, never NULL, with an index.',
            )
        key = (self._key_given,) if isinstance(self._key_given, str) else tuple(self._key_given)
        if not key:
            raise errors.UsageError("key= names no column.", hint='Give one or more, as in key="id".')
        check_columns(key, shape.names, what="key")
        proven = (shape.key, *shape.unique)
        if self._relation.path and proven != ((),) and not any(set(each) <= set(key) for each in proven if each):
            if not shape.key:
                raise errors.UsageError(
                    f"{self._relation}: nothing says that {', '.join(key)} is unique, and rows would be lost.",
                    hint="Make a unique index, or give a key that has one.",
                )
            key = (*key, *(name for name in shape.key if name not in key))  # ties are broken by the primary key
        return key

    @functools.cached_property
    def _secret(self) -> bytes:
        return tokens.secret_of(self._secret_given)

    def _query(
        self, as_: Any, columns: Sequence[str] | None, order_by: OrderBy, *, allow_scan: bool, single: bool = False
    ) -> Query:
        self._refuse_closed()
        if isinstance(columns, str):
            raise errors.UsageError(f"columns={columns!r} is one text.", hint=f"Write columns=[{columns!r}].")
        wanted: object = (as_, _hashable(columns), _hashable(order_by), allow_scan, single)
        try:
            known = self._known.get(wanted)
        except TypeError:  # what cannot be a key is settled each time
            known, wanted = None, None
        if known is None:
            known = self._settle(as_, columns, order_by, allow_scan=allow_scan, single=single)
            if wanted is not None and as_ != "arrow":  # which learns its types on the way
                while len(self._known) >= limits.TABLE_QUERIES_KEPT:
                    self._known.pop(next(iter(self._known)), None)
                self._known[wanted] = known
        return known

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise errors.ClosedError(f"the table {self._relation} is closed.", hint="Make another.")

    @functools.cached_property
    def _known(self) -> dict[object, Query]:
        """What was asked before: a request for a page costs its rows, and no settling."""
        return {}

    def _settle(
        self, as_: Any, columns: Sequence[str] | None, order_by: OrderBy, *, allow_scan: bool, single: bool
    ) -> Query:
        dialect, shape = self._adapter.dialect, self._shape
        order_by = self._adapter.order if order_by is None else order_by
        listed = [(column.name, column.nullable) for column in shape.columns]
        order = resolve(order_by, key=self._key, columns=listed, nulls_are_smallest=dialect.nulls_are_smallest)
        wrap = None
        if single:
            form = forms.single_form(as_, shape, order.names, dialect)
        elif as_ == "arrow":
            from flatwater.source.tables.arrow import arrow_form

            form, wrap = arrow_form(shape, order.names, dialect, columns)
        elif as_ == "orm":
            form = self._adapter.orm_form(shape, order)
        else:
            if columns is not None and as_ not in (dict, tuple):
                raise errors.UsageError("columns= is for dict and tuple.", hint="A class names its columns itself.")
            form = forms.form_of(as_, shape, order.names, dialect, columns)
        hint = self._adapter.index_for(self._relation, order)
        query = Query(self._relation, order, form, wrap, hint)
        checked = (order, hint)
        if not allow_scan and checked not in self._served:
            check_served(self._adapter, query)
            self._served.add(checked)
        return query

    @functools.cached_property
    def _served(self) -> set[tuple[Order, str]]:
        """Orders that an index serves, as far as asked."""
        return set()

    def _pass(
        self,
        kind: Any,
        ask: Callable[[], Query],
        batch_bytes: str | int,
        batch_rows: int,
        start: object,
        finish: object,
        after: str | None,
        consistency: str,
    ) -> Any:
        if consistency not in CONSISTENCIES:
            raise errors.UsageError(
                f"consistency={consistency!r} is none of {', '.join(CONSISTENCIES)}.", hint="See Table.find_each."
            )
        whole = errors.bytes_of(batch_bytes, what="batch_bytes", least=1)
        rows = errors.count_of(batch_rows, what="batch_rows", most=limits.TABLE_BATCH_ROWS_MAX)

        @functools.cache
        def settled() -> tuple[Query, Key | None, Key | None, Key | None, Key | None]:
            query = ask()
            begin, end = (key_of(each, query.order, what=what) for each, what in ((start, "start"), (finish, "finish")))
            return query, *self._place(query, after), begin, end

        def wrap(batch: list[Any]) -> Any:
            by = settled()[0].wrap
            return batch if by is None or not isinstance(batch, list) else by(batch)

        if not self._adapter.is_async:
            settled()  # else it is settled when the pass begins, where the source can be waited for

        def begin_pass() -> tuple[Reading, Key | None, Callable[[], object] | None]:
            query, position, token_bound, begin, end = settled()
            leave = None
            reader = self._adapter
            if consistency == "snapshot":
                snapshot = self._adapter.snapshot()
                reader = snapshot.__enter__()
                leave = functools.partial(snapshot.__exit__, None, None, None)
            bound = token_bound
            if bound is None and consistency == "bounded" and end is None:
                bound = self._end_key(reader, query, query.order.reversed())
            last = end if end is not None else bound
            # What a wrapped batch is made of is there beside it, and what allocators keep between the two.
            room = whole if query.wrap is None else max(whole // 3, 1)
            return self._reading(query, room, rows, position, begin, last, reader), bound, leave

        return kind(
            f"table {self._relation}",
            begin_pass,
            bytes_max=self.bytes_max(whole),
            sign=lambda position, bound: self._sign(settled()[0], position, bound),
            run_async=self._adapter.run,
            wrap=wrap,
            after=after,
        )

    def _reading(
        self,
        query: Query,
        room: int,
        rows: int,
        position: Key | None,
        start: Key | None,
        finish: Key | None,
        reader: Adapter | None = None,
    ) -> Reading:
        unsure = [at for at, column in enumerate(query.order.columns) if column.nullable and column.name in self._key]
        reader = reader or self._adapter
        kind: Callable[..., Reading] = Reading
        if query.wrap is not None and reader.joins:
            from flatwater.source.tables.columns import ColumnReading

            kind = functools.partial(ColumnReading, query.wrap)
        return kind(
            reader, query.relation, query.order, query.form, batch_bytes=room, batch_rows=rows,
            after=position, start=start, finish=finish, index=query.hint, unsure=unsure,
        )  # fmt: skip

    def _end_key(self, reader: Adapter, query: Query, order: Order) -> Key | None:
        """The key of the first row there is now in an order, the query's or its reverse."""
        form = forms.form_of(tuple, self._shape, order.names, reader.dialect, order.names)
        reading = Reading(reader, query.relation, order, form, batch_bytes=1, batch_rows=1, index=query.hint)
        found = reading.next_batch()
        return tuple(found[0]) if found else None

    def _fingerprint(self, query: Query) -> bytes:
        relation = query.relation
        return tokens.fingerprint(
            self._adapter.dialect.name,
            relation.path,
            relation.select,
            relation.where,
            relation.params,
            str(query.order),
        )

    def _place(self, query: Query, after: str | None) -> tuple[Key | None, Key | None]:
        if after is None:
            return None, None
        position, bound = tokens.read(self._secret, self._fingerprint(query), after)
        return position or None, bound

    def reopened(self, token: str) -> str:
        """The place of a token of `batches()`, without the end that its pass had: a pass from there has what came since."""
        query = self._query(dict, None, None, allow_scan=True)
        position, _bound = self._place(query, token)
        return self._sign(query, position or (), None)

    def _sign(self, query: Query, position: Key, bound: Key | None) -> str:
        return tokens.write(self._secret, self._fingerprint(query), position, bound)


def _opened(source: Any, name_or_select: Any, where: str, params: tuple[object, ...]) -> tuple[Adapter, Relation]:
    if isinstance(name_or_select, str):
        text = name_or_select.strip().rstrip(";").strip()
        if not text:
            raise errors.UsageError("the table has no name.", hint='Give one, as in Table("data.db", "users").')
        if any(each == "\0" or "\ud800" <= each <= "\udfff" for each in text + where):
            raise errors.UsageError(
                f"{text!r} has characters that no database takes.", hint='As in Table("data.db", "users").'
            )
        if _SELECT.match(text):
            relation = Relation(select=text, where=where, params=params)
        else:
            relation = Relation(path=_path(text), where=where, params=params)
    elif name_or_select is None and not any(hasattr(source, each) for each in ("_meta", "query", "get_queryset")):
        raise errors.UsageError("which table?", hint='Give its name or a SELECT, as in Table("data.db", "users").')
    else:
        relation = Relation(where=where, params=params)
    adapter = adapter_for(source)
    if not isinstance(name_or_select, str):
        adapter, relation = adapter.bind(name_or_select, relation)
    return adapter, relation


def _path(name: str) -> tuple[str, ...]:
    """The parts of a name; a part between double quotes may have dots in it, and its quotes doubled.

    >>> _path('shop.orders'), _path('"orders.2024"'), _path('shop."a ""b"" c"')
    (('shop', 'orders'), ('orders.2024',), ('shop', 'a "b" c'))
    """
    if not _QUOTED_NAME.fullmatch(name):
        return tuple(name.split("."))
    return tuple(part[1:-1].replace('""', '"') if part.startswith('"') else part for part in _NAME_PART.findall(name))


def key_of(value: object, order: Order, *, what: str) -> Key | None:
    """A value, or a tuple of values, for the first columns of an order."""
    if value is None:
        return None
    key = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if not 1 <= len(key) <= len(order.columns):
        raise errors.UsageError(
            f"{what} has {len(key)} values, and the order has {len(order.columns)} columns ({order}).",
            hint="Give a value of the first column, or a tuple for the first ones.",
        )
    return key


def _sequence(params: object) -> Sequence[object]:
    if isinstance(params, (str, bytes)) or not isinstance(params, Sequence):
        raise errors.UsageError(f"params={params!r} is no sequence.", hint="Give a tuple or list of values.")
    return params


def _hashable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
