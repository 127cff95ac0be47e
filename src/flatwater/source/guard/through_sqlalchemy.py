"""Guard an engine of SQLAlchemy: each execution gets its cursor from here.

Covers:     Engine and AsyncEngine; Core and ORM, lazy loads, `yield_per`, asynchronous drivers.
Not here:   connections of plain drivers (`guard.connection`), Django (`guard.through_django`).
Holds:      a class for each engine.

`ExecutionContext.create_cursor` is where SQLAlchemy asks a dialect for the cursor of one execution; all fetching goes
through that cursor, however the result is read. So the dialect's context class gets a subclass that wraps the cursor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flatwater import errors
from flatwater.source.guard.cursor import GuardedCursor
from flatwater.source.guard.drivers import Batched, driver_of
from flatwater.source.guard.page import Limits, limits_now
from flatwater.source.guard.statement import is_query, text_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


def is_engine(subject: object) -> bool:
    """Whether it belongs to SQLAlchemy, without importing that."""
    return any(each.__module__.partition(".")[0] == "sqlalchemy" for each in type(subject).__mro__)


def install(subject: Any, standing: Limits | None) -> None:
    """Guard all that goes through this engine from now on; again, to change the standing limits.

    Raises:
        UsageError: it is no engine.
    """
    dialect: Any = _engine_of(subject).dialect
    context = dialect.execution_ctx_cls
    if not hasattr(context, "_flatwater_standing"):
        context = _guarded(context)
        dialect.execution_ctx_cls = context
    context._flatwater_standing = standing  # noqa: SLF001 - the class was made here


def _engine_of(subject: Any) -> Engine:
    from sqlalchemy.engine import Engine

    engine = getattr(subject, "sync_engine", subject)
    if not isinstance(engine, Engine):
        raise errors.UsageError(
            f"{type(subject).__name__} is not what the page guard is installed on.",
            hint="Pass the Engine or AsyncEngine that sessions and connections come from.",
        )
    return engine


def _guarded(base: Any) -> Any:
    """The context class of a dialect, with guarded cursors."""

    class GuardedContext(base):  # type: ignore[misc]  # each dialect has its own
        """One execution."""

        _flatwater_standing: Limits | None = None

        def create_cursor(self) -> Any:
            """The cursor of this execution."""
            standing = self._flatwater_standing
            if limits_now(standing) is None:
                return super().create_cursor()
            text = text_of(
                getattr(self, "unicode_statement", None) or ""
            )  # a default's statement comes later, for one row
            if not is_query(text):
                return super().create_cursor()
            cursor = super().create_cursor()
            lost = self.root_connection.invalidate
            if self._is_server_side:  # stream_results or yield_per: the program reads a few rows at a time
                return GuardedCursor(cursor, driver_of(cursor) or Batched(reads_ahead=False), standing, lost=lost)
            driver = driver_of(cursor)
            if driver is None and self.dialect.supports_server_side_cursors:
                # Asynchronous drivers and others read whole results; what the server keeps can be asked for in parts.
                cursor.close()
                return GuardedCursor(self.create_server_side_cursor(), Batched(reads_ahead=True), standing, lost=lost)
            return GuardedCursor(cursor, driver or Batched(reads_ahead=False), standing, lost=lost)

    return GuardedContext
