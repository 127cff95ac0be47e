"""A store as JSON lines: every key and value as it is, an entry a line, in fixed memory.

Covers:     the form of a dump, keys and values that JSON has no words for.
Not here:   putting one into a store (`store.loading`), files (`cli.store_dump`), keys as bytes (`store.keys`).
Holds:      a batch of entries and its text; see `dump_bytes_max`.

The first line is {"flatwater_dump": 1, ...}, the last one {"flatwater_dump_end": entries}: one that was cut off lacks it. In
between stands {"partition": ..., "key": [...]} with one of `value_base64`, `value` (a value that is JSON itself), `value_text`
or `value_msgpack` (msgpack as JSON). What does not come back as the same bytes in the form that was asked for is written in
base64: a dump is exact in any form. Elements of keys that JSON has no words for are an object with one name: bytes, datetime, float, surrogates, uuid.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

import msgspec

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.store.keys import Key, Pair

if TYPE_CHECKING:
    from flatwater.store.store import Store

VERSION: Final = 1
Form = Literal["base64", "json", "msgpack", "text"]
FORMS: Final = ("base64", "json", "msgpack", "text")
BATCH_BYTES: Final = limits.STORE_DUMP_BATCH_BYTES
_TEXT_RATIO = 6  # bytes of text for each byte of a value, at most: a control letter is six

_JSON_WORDS = frozenset({str, int, bool, type(None)})  # elements that are the same in JSON
NO_VALUE = (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError, ValueError, OverflowError)


class Head(msgspec.Struct, frozen=True):
    """The first line of a dump."""

    flatwater_dump: int
    backend: str = ""
    format: str = ""


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """Any other line: which one it is tells what is set."""

    partition: str | msgspec.UnsetType = msgspec.UNSET
    key: Any = msgspec.UNSET
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    value_base64: bytes | msgspec.UnsetType = msgspec.UNSET
    value_msgpack: Any = msgspec.UNSET
    value_text: str | msgspec.UnsetType = msgspec.UNSET
    flatwater_dump: int | msgspec.UnsetType = msgspec.UNSET
    flatwater_dump_end: int | msgspec.UnsetType = msgspec.UNSET
    backend: str | msgspec.UnsetType = msgspec.UNSET
    format: str | msgspec.UnsetType = msgspec.UNSET


_Value = Callable[[str, Sequence[Any], bytes], Line]
encoder = msgspec.json.Encoder()
decoder = msgspec.json.Decoder(Line)


# --- dumping ----------------------------------------------------------------------------------------------------------


def dump_bytes_max() -> int:
    """The most that `dump` holds at once, in bytes, beside the text of the largest entry; taken from the budget."""
    total = 0
    total += 2 * BATCH_BYTES  # two batches, which the walk takes by itself
    total += _TEXT_RATIO * BATCH_BYTES  # the text of one of them
    return total


def dump(store: Store, names: Sequence[str] | None = None, form: Form = "base64") -> Generator[bytes, None, None]:
    """The lines of a dump, several in each piece that comes.

    Each batch is read in a transaction of its own: entries that others write meanwhile are in it or not. For one moment,
    dump a backup.

    Args:
        store: that is open.
        names: of partitions; None is all of them.
        form: of values, where they come back from it as the same bytes; else they are in base64.

    Raises:
        UsageError: there is no such form or partition.
        BudgetExceeded: `dump_bytes_max()` does not fit into the budget around the call.
    """
    if form not in FORMS:
        raise errors.UsageError(f"format={form!r} is not known.", hint=f"Take one of {', '.join(FORMS)}.")
    if names is not None:
        known = set(store.partitions())
        for name in names:
            if name not in known:
                few = ", ".join(map(repr, sorted(known)[:5]))
                raise errors.UsageError(
                    f"there is no partition {name!r:.80} in {store.path}.",
                    hint=f"It has {few}{', ...' if len(known) > 5 else ''}." if known else "It is empty.",  # noqa: PLR2004 - a few
                )
    return _dumped(store, names, form, Budget.current())


def _dumped(store: Store, names: Sequence[str] | None, form: Form, budget: Budget) -> Generator[bytes, None, None]:
    value_of = _VALUES[form]
    entries = 0
    with budget.reserve(dump_bytes_max() - 2 * BATCH_BYTES, "store.dump"):
        yield encoder.encode(Head(VERSION, store.backend, form)) + b"\n"
        for name in store.partitions() if names is None else dict.fromkeys(names):
            with store.partition(name).batches(bytes=BATCH_BYTES) as batches:
                for batch in batches:
                    entries += len(batch)
                    yield _text(name, batch, value_of)
        yield encoder.encode(Line(flatwater_dump_end=entries)) + b"\n"


def _text(name: str, batch: list[Pair], value_of: _Value) -> bytes:
    """The lines of a batch."""
    is_same = _JSON_WORDS.issuperset
    try:
        return encoder.encode_lines(
            [value_of(name, key if is_same(map(type, key)) else told(key), value) for key, value in batch]
        )
    except UnicodeEncodeError:  # a text that is no valid Unicode, which JSON does not take: look at each
        return encoder.encode_lines([value_of(name, told(key), value) for key, value in batch])


def told(key: Key) -> Sequence[Any]:
    """A key as JSON has it: elements that it has no words for are objects with one name.

    >>> told(("a", 1, 1.5, b"raw", None))
    ['a', 1, 1.5, {'bytes': 'cmF3'}, None]
    """
    return [_told_element(element) for element in key]


def _told_element(element: Any) -> Any:
    kind = type(element)
    if kind is str:
        try:
            element.encode()
        except UnicodeEncodeError:
            return {"surrogates": _base64(element.encode("utf-8", "surrogatepass"))}
        return element
    if kind in _JSON_WORDS:
        return element
    if kind is float:
        return element if element - element == 0 else {"float": repr(element)}
    if kind is bytes:
        return {"bytes": _base64(element)}
    if kind is datetime:
        return {"datetime": element.isoformat()}
    assert kind is UUID
    return {"uuid": str(element)}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _in_base64(name: str, key: Sequence[Any], value: bytes) -> Line:
    return Line(partition=name, key=key, value_base64=value)


def _in_json(name: str, key: Sequence[Any], value: bytes) -> Line:
    """As it is, if the line is then read as it was written; a value with an end of line in it, for one, is not."""
    line = Line(partition=name, key=key, value=msgspec.Raw(value))
    if not value or b"\n" in value or b"\r" in value:
        return _in_base64(name, key, value)
    try:
        value.decode()
        back = decoder.decode(encoder.encode(line)).value
        if back is not msgspec.UNSET and bytes(back) == value:
            return line
    except NO_VALUE:
        pass
    return _in_base64(name, key, value)


def _in_msgpack(name: str, key: Sequence[Any], value: bytes) -> Line:
    """As JSON, if the same bytes come of it: msgpack's bytes, times and keys that are no texts do not."""
    try:
        decoded = msgspec.msgpack.decode(value)
        if msgspec.msgpack.encode(msgspec.json.decode(encoder.encode(decoded))) == value:
            return Line(partition=name, key=key, value_msgpack=decoded)
    except NO_VALUE:
        pass
    return _in_base64(name, key, value)


def _in_text(name: str, key: Sequence[Any], value: bytes) -> Line:
    try:
        return Line(partition=name, key=key, value_text=value.decode())
    except UnicodeDecodeError:
        return _in_base64(name, key, value)


_VALUES: dict[str, _Value] = {
    "base64": _in_base64, "json": _in_json, "msgpack": _in_msgpack, "text": _in_text,
}  # fmt: skip
