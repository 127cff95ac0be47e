"""What pytest keeps of a test while it runs, so that it is not taken for the test's own memory.

Covers:     log records and their text, warnings, monkeypatches, recorded properties, reports of subtests.
Not here:   what a test prints, which pytest keeps in a file; fixtures' own records that a test asks for.
Holds:      RECORDS_MAX records and as much text as one captured stream shows, while a call is measured.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any, TypeVar, final

import pytest

from flatwater import limits

RECORDS_MAX = limits.TESTING_RECORDS_MAX  # up to twice as many for a moment
TEXT_CHARS_MAX = limits.TESTING_SECTION_CHARS_MAX
Entry = TypeVar("Entry")


@contextlib.contextmanager
def put_back(item: pytest.Function) -> Iterator[None]:
    """After a round that went well, keep no more than before it: each round begins as the first.

    A round that raised leaves its log for the report.
    """
    kept: list[list[Any]] = [item.user_properties, *_reports(item)]
    if (warned := _warned()) is not None:
        kept.append(warned)
    lengths = [len(entries) for entries in kept]
    known = {id(entries) for entries in kept}
    with contextlib.ExitStack() as stack:
        for patch in [value for value in item.funcargs.values() if isinstance(value, pytest.MonkeyPatch)]:
            stack.enter_context(_fresh(patch))
        yield
    for handler in _handlers(item):
        handler.clear()
    for entries, length in zip(kept, lengths, strict=True):
        del entries[length:]
    for entries in _reports(item):
        if id(entries) not in known:
            entries.clear()


@contextlib.contextmanager
def bounded(item: pytest.Function) -> Iterator[None]:
    """Keep the latest log records and warnings only, unless the test asks for them: caplog, recwarn."""
    with contextlib.ExitStack() as stack:
        if "caplog" not in item.fixturenames:
            for handler in _handlers(item):
                stack.enter_context(_latest_logged(handler))
        if "recwarn" not in item.fixturenames:
            stack.enter_context(_latest_warned())
        yield


@final
class Latest(list[Entry]):
    """A list that forgets its first entries."""

    def append(self, entry: Entry) -> None:
        """Add one; seldom, forget what is too old."""
        super().append(entry)
        if len(self) > 2 * RECORDS_MAX:
            del self[:-RECORDS_MAX]


@final
class Tail:
    """A text stream of which the end is kept."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._chars = 0

    def write(self, text: str) -> int:
        """Add a line; seldom, forget what is too old."""
        self._text.append(text[-TEXT_CHARS_MAX:])
        self._chars += len(self._text[-1])
        if self._chars > 2 * TEXT_CHARS_MAX:
            self._text = [self.getvalue()]
            self._chars = len(self._text[0])
        return len(text)

    def getvalue(self) -> str:
        """The end of what was written."""
        return "".join(self._text)[-TEXT_CHARS_MAX:]


@contextlib.contextmanager
def _latest_logged(handler: Any) -> Iterator[None]:
    records, stream = handler.records, handler.stream
    handler.records, handler.stream = Latest(), Tail()
    try:
        yield
    finally:
        records += handler.records
        stream.write(handler.stream.getvalue())
        handler.records, handler.stream = records, stream


@contextlib.contextmanager
def _latest_warned() -> Iterator[None]:
    warned = _warned()
    if warned is None:
        yield
        return
    latest: Latest[Any] = Latest()
    warnings._showwarnmsg_impl = latest.append  # type: ignore[attr-defined]  # noqa: SLF001 - as warnings.catch_warnings does
    try:
        yield
    finally:
        warnings._showwarnmsg_impl = warned.append  # type: ignore[attr-defined]  # noqa: SLF001 - the same
        warned += latest


@contextlib.contextmanager
def _fresh(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if nothing were patched yet; afterwards that is so again."""
    before = dict(vars(patch))
    vars(patch).update(vars(pytest.MonkeyPatch()))
    try:
        yield
    finally:
        patch.undo()
        vars(patch).update(before)


def _handlers(item: pytest.Function) -> list[Any]:
    """Of pytest's logging plugin, which keep each record and its text."""
    plugin = item.config.pluginmanager.getplugin("logging-plugin")
    found = [getattr(plugin, name, None) for name in ("caplog_handler", "report_handler")]
    return [handler for handler in found if isinstance(handler, logging.Handler)]


def _warned() -> list[Any] | None:
    """Where warnings are recorded now; None if they are not."""
    warned = getattr(getattr(warnings, "_showwarnmsg_impl", None), "__self__", None)
    return warned if isinstance(warned, list) else None


def _reports(item: pytest.Function) -> list[list[Any]]:
    """Of the terminal, one list for each outcome; each subtest adds its own."""
    reporter = item.config.pluginmanager.getplugin("terminalreporter")
    return list(getattr(reporter, "stats", {}).values())
