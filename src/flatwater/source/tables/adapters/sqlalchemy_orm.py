"""Mapped objects of SQLAlchemy, a page at a time.

Covers:     whose session they live in, what they weigh, where a page ends.
Not here:   plain columns (`adapters.sqlalchemy`).
Holds:      one page's objects.

Objects live in the user's Session if he gave one: it refers to them weakly, so those that are dropped are gone, and those
that he changed stay in it until they are flushed. With an engine they are made in a session of ours and are detached:
what was loaded can be read, what was not cannot.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from flatwater import errors
from flatwater.sizing import heap_bytes
from flatwater.source.tables.adapters import sqlalchemy_selects as selects
from flatwater.source.tables.adapters import sqlalchemy_streams as streams
from flatwater.source.tables.adapters.rowwise import Cut
from flatwater.source.tables.adapters.sqlalchemy_door import JOINED, JOINED_HINT, Door
from flatwater.source.tables.adapters.sqlalchemy_selects import OBJECT, Target
from flatwater.source.tables.forms import Form, Row
from flatwater.source.tables.order import Order
from flatwater.source.tables.shape import PageQuery

_FIRST_BYTES = 2_500  # of an object beside its values, before one was weighed
_IDENTITY_BYTES = 420  # its key and its place in the session's map, measured


class Objects:
    """Pages of objects.

    Args:
        door: to the database.
        target: gives objects.
    """

    def __init__(self, door: Door, target: Target) -> None:
        if not target.entity:
            raise errors.UsageError(
                'as_="orm" needs a mapped class, or a select() of such classes alone.',
                hint="Give Table(session, User) or select(User); or as_=dict.",
            )
        compiled = target.base.limit(1).compile(dialect=door.dialect)
        if getattr(compiled.compile_state, "multi_row_eager_loaders", False):
            raise errors.UsageError(JOINED, hint=JOINED_HINT)
        self._door, self._target = door, target
        self._base = _FIRST_BYTES

    def form(self, order: Order) -> Form:
        """Objects as a form of rows; the key stands behind them in a raw row."""

        def collect(rows: Any, out: list[Any], room: int, _: int) -> tuple[int, Row | None, bool]:
            return next(rows)(out, room)  # type: ignore[no-any-return]

        return Form((OBJECT, *order.names), collect, lambda _: 0, tuple(range(len(order.columns))), None)

    def page(self, query: PageQuery) -> Iterator[Any]:
        """What collects the page, once."""
        yield lambda out, room: self._collect(query, out, room)

    def _collect(self, query: PageQuery, out: list[Any], room: int) -> tuple[int, Row | None, bool]:
        names = query.order.names
        decorated = self._target.decorated(names)
        count = len(names) + len(decorated)
        cut = Cut(room, self._base, _values_bytes, may_pass=not out)
        select = self._target.page(query)
        with self._session() as (session, is_users), session.no_autoflush:
            connection = session.connection(bind_arguments=self._door.bind_arguments)
            with streams.opened(
                connection,
                lambda options: session.execute(
                    select, execution_options=options, bind_arguments=dict(self._door.bind_arguments)
                ),
                is_users=is_users,
                cut=cut,
            ) as result:
                rows: list[Row] = [tuple(row) for row in result.all()]
                self._learn(rows, count, cut)
            if session is not self._door.session():
                session.expunge_all()
        if rows:
            self._check(decorated, names, rows[-1])
        out += [row[0] if len(row) == count + 1 else row[:-count] for row in rows]
        return cut.used, rows[-1][-count:][: len(names)] if rows else None, cut.is_full

    def _check(self, decorated: list[str], names: Sequence[str], row: Row) -> None:
        """The place behind this row can be found again."""
        count = len(names) + len(decorated)
        for name, plain in zip(decorated, row[len(row) - len(decorated) :], strict=True):
            given = row[len(row) - count + names.index(name)]
            selects.check_comes_back(name, self._target.columns[name].type, self._door.dialect, plain, given)

    def _learn(self, rows: list[Row], count: int, cut: Cut) -> None:
        """What an object takes beside its own values; with what was loaded of others, on average."""
        if not rows:
            return
        seen: set[int] = set()
        sample = rows[:: max(1, len(rows) // 16)]
        weight = sum(object_bytes(each, seen) for row in sample for each in row[:-count])
        values = (cut.used - self._base * len(rows)) // len(rows)
        self._base = max(weight // len(sample) - values, 600)

    @contextlib.contextmanager
    def _session(self) -> Iterator[tuple[Any, bool]]:
        """A session to load with, and whether the transaction is the user's; if it is not, it ends with this."""
        from sqlalchemy.orm import Session

        self._door.check_way()
        session = self._door.session()
        if session is None:
            with (
                self._door.reading() as (connection, is_users),
                Session(connection, autoflush=False, join_transaction_mode="conditional_savepoint") as own,
            ):
                yield own, is_users
            return
        is_users = session.in_transaction()
        if is_users and session.autoflush:
            session.flush()
        try:
            yield session, is_users
        finally:
            # Neither rollback() nor commit(): both would have every object of this page read again, one by one.
            if not is_users and (transaction := session.get_transaction()) is not None:
                transaction.close()


def object_bytes(found: Any, seen: set[int]) -> int:
    """Heap bytes of a mapped object with its values, and of objects that were loaded with it; what is in `seen` counts once."""
    from sqlalchemy import inspect

    state = inspect(found, raiseerr=False)
    if state is None or not hasattr(state, "mapper") or id(state) in seen:
        return 0 if state is not None else heap_bytes(found)
    seen.add(id(state))
    total = _IDENTITY_BYTES + heap_bytes(_Shell(found.__dict__, state))
    for value in list(found.__dict__.values()):
        if value is state:
            continue
        if isinstance(value, (list, set, tuple)) and value and hasattr(next(iter(value)), "_sa_instance_state"):
            total += value.__sizeof__() + 250 + sum(object_bytes(each, seen) for each in value)
        elif hasattr(value, "_sa_instance_state"):
            total += object_bytes(value, seen)
        else:
            total += heap_bytes(value)
    return total


def _values_bytes(row: Row) -> int:
    return sum(value.__sizeof__() for value in row)


class _Shell:
    """An object's own blocks, without what they refer to."""

    def __init__(self, values: dict[str, Any], state: Any) -> None:
        self.blocks = bytes(values.__sizeof__() + state.__sizeof__() + state.__dict__.__sizeof__())
