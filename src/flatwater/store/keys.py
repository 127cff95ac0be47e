"""Tuples as keys: bytes that sort as the tuples do, and turn back into them.

Covers:     str, bytes, int, float, bool, None, UUID, datetime; one key, pages of keys, the range below a prefix.
Not here:   which partition a key belongs to (`store.partition`), how long a key may be (`store.engines`).
Holds:      nothing.

An element is a tag and its value. Values of fixed length follow each other; a text or bytes that is not the last element
ends with 00, and 00 and 01 inside of it are written as 01 01 and 01 02, so that no value looks like an end. The tags
order the types, and all are above 01: a key sorts in front of every key that continues it. (FoundationDB's tuple layer
goes by the same idea.)
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from flatwater import errors

Key = tuple[Any, ...]
Pair = tuple[Key, Any]

NONE, FALSE, TRUE, HUGE_NEGATIVE, NEGATIVE, POSITIVE, HUGE, FLOAT, TEXT, BYTES, NAIVE, AWARE, UUID_ = range(2, 15)
END = b"\x00"
ABOVE = b"\xff"  # sorts behind every tag: the end of what continues a key
_ABOVE_ENDED = b"\x01"  # sorts behind the end of a text, and in front of what makes it longer

_INT_BYTES = 8
_HUGE_BYTES_MAX = 255
_WORD = struct.Struct(">Q")
_SIGNED = struct.Struct(">q")
_DOUBLE = struct.Struct(">d")
_WORD_MAX = (1 << 64) - 1
_TOP_BIT = 1 << 63
_MINUS_ZERO = _TOP_BIT - 1  # as a float would be encoded that is 0 and has a sign
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive times are compared with it
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_AWARE_MIN = datetime.min.replace(tzinfo=UTC) - _EPOCH_UTC
_AWARE_MAX = datetime.max.replace(tzinfo=UTC) - _EPOCH_UTC


# --- one key ----------------------------------------------------------------------------------------------------------


def encode(head: bytes, key: Key) -> bytes:
    """`key` behind `head`.

    Raises:
        UsageError: it is no tuple of what a key can hold, or empty.

    >>> encode(b"", ("a", 1)) < encode(b"", ("a", 2)) < encode(b"", ("ab", 0))
    True
    """
    if type(key) is tuple and len(key) == 1:  # the most frequent one, without a loop
        element = key[0]
        if type(element) is str and "\x00" not in element and "\x01" not in element:
            try:
                return head + _TEXT_TAG + element.encode()
            except UnicodeEncodeError:
                pass  # a surrogate alone
    return head + _encoded(key)


def encode_many(head: bytes, keys: Sequence[Key]) -> list[bytes]:
    """`keys`, each behind `head`: faster than one by one where all are one text, or one piece of bytes.

    Raises:
        UsageError: as for `encode`.
    """
    if set(map(type, keys)) == {tuple} and set(map(len, keys)) == {1}:
        texts = list(chain.from_iterable(keys))
        if set(map(type, texts)) == {str}:
            joined = "".join(texts)
            if "\x00" not in joined and "\x01" not in joined:
                front = head + _TEXT_TAG
                try:
                    return [front + text.encode() for text in texts]
                except UnicodeEncodeError:
                    pass  # a surrogate alone
        elif set(map(type, texts)) == {bytes}:
            whole = b"".join(texts)
            if 0 not in whole and 1 not in whole:
                front = head + _BYTES_TAG
                return [front + text for text in texts]
    return [encode(head, key) for key in keys]


def decode(key: bytes, at: int) -> Key:
    """The tuple that stands in `key` from byte `at` on.

    Raises:
        CorruptError: these are no bytes that `encode` made.
    """
    return tuple(element for element, _start in _elements(key, at))


def prefix_range(head: bytes, prefix: Key) -> tuple[bytes, bytes]:
    """Where the keys begin and end whose first elements are `prefix`: the first one, and the end behind the last.

    >>> low, high = prefix_range(b"", ("a",))
    >>> [low <= encode(b"", key) < high for key in (("a",), ("a", 1), ("ab",), ("b",))]
    [True, True, False, False]
    """
    if prefix == ():
        return head, head + ABOVE
    low = encode(head, prefix)
    is_open = type(prefix[-1]) in {str, bytes}
    return low, low + (_ABOVE_ENDED if is_open else ABOVE)


# --- a page of keys ---------------------------------------------------------------------------------------------------


def decode_pairs(page: Sequence[tuple[bytes, bytes]], at: int, value_of: Callable[[bytes], Any] | None) -> list[Pair]:
    """A sorted page with its keys as tuples: what all keys begin with is decoded once.

    Args:
        page: keys in ascending or descending order, with their values.
        at: the byte at which the tuples begin.
        value_of: makes a value of its bytes; None leaves them.

    Raises:
        CorruptError: a key is none that `encode` made.
    """
    if not page:
        return []
    first = page[0][0]
    elements = list(_elements(first, at))
    _value, start = elements[-1]
    tag = first[start]
    front = first[: start + 1]
    size = len(front)
    leading = tuple(element for element, _start in elements[:-1])
    pairs: list[Pair] | None = None
    if page[-1][0].startswith(front):
        if tag == TEXT:
            pairs = _text_pairs(page, front, leading, value_of)
        elif tag == BYTES:
            pairs = _bytes_pairs(page, front, leading, value_of)
        elif tag == POSITIVE and len(first) == size + _INT_BYTES and {len(key) for key, _value in page} == {len(first)}:
            word = _WORD.unpack_from
            if value_of is None:
                return [((*leading, word(key, size)[0]), value) for key, value in page]
            return [((*leading, word(key, size)[0]), value_of(value)) for key, value in page]
    if pairs is not None:
        return pairs
    if value_of is None:
        return [(decode(key, at), value) for key, value in page]
    return [(decode(key, at), value_of(value)) for key, value in page]


def _text_pairs(
    page: Sequence[tuple[bytes, bytes]], front: bytes, leading: Key, value_of: Callable[[bytes], Any] | None
) -> list[Pair] | None:
    """The pairs, if every key is `front` and one more text that nothing is escaped in; else None."""
    size = len(front)
    joined = b"".join([key[size:] for key, _value in page])
    if 0 in joined or 1 in joined:
        return None
    try:
        if leading:
            if value_of is None:
                return [((*leading, key[size:].decode()), value) for key, value in page]
            return [((*leading, key[size:].decode()), value_of(value)) for key, value in page]
        if value_of is None:
            return [((key[size:].decode(),), value) for key, value in page]
        return [((key[size:].decode(),), value_of(value)) for key, value in page]
    except UnicodeDecodeError:
        return None


def _bytes_pairs(
    page: Sequence[tuple[bytes, bytes]], front: bytes, leading: Key, value_of: Callable[[bytes], Any] | None
) -> list[Pair] | None:
    """The same with bytes."""
    size = len(front)
    joined = b"".join([key[size:] for key, _value in page])
    if 0 in joined or 1 in joined:
        return None
    if value_of is not None:
        return [((*leading, key[size:]), value_of(value)) for key, value in page]
    if leading:
        return [((*leading, key[size:]), value) for key, value in page]
    return [((key[size:],), value) for key, value in page]


# --- elements ---------------------------------------------------------------------------------------------------------


def _encoded(key: Key) -> bytes:
    if not isinstance(key, tuple):
        raise errors.UsageError(f"{shown(key)} is no key.", hint="A key is a tuple, such as ('a',) or ('users', 17).")
    if not key:
        raise errors.UsageError("() is no key.", hint="A key has one element at least, such as ('a',).")
    parts: list[bytes] = []
    is_open = False  # the element before has no end yet
    for element in key:
        if is_open:
            parts.append(END)
        encoder = _ENCODERS.get(type(element))
        if encoder is None:
            raise errors.UsageError(
                f"{shown(element)} in the key {shown(key)} is {type(element).__name__}, which no key can hold.",
                hint="Keys hold str, bytes, int, float, bool, None, UUID and datetime.",
            )
        parts.append(encoder(element))
        is_open = type(element) in {str, bytes}
    return b"".join(parts)


def shown(value: object, chars: int = 120) -> str:
    """The beginning of what `value` looks like, for an error."""
    try:
        return repr(value)[:chars]
    except (ValueError, RecursionError):  # an int of more digits than Python shows; too deep
        return f"<{type(value).__name__}>"


def _escaped(text: bytes) -> bytes:
    return text.replace(b"\x01", b"\x01\x02").replace(b"\x00", b"\x01\x01")


def _unescaped(text: bytes) -> bytes:
    if 1 not in text:
        return text
    plain = text.replace(b"\x01\x01", b"\x00").replace(b"\x01\x02", b"\x01")
    if _escaped(plain) != text:
        raise ValueError("an escape that is none")
    return plain


def _encoded_int(number: int) -> bytes:
    if 0 <= number <= _WORD_MAX:
        return _POSITIVE_TAG + _WORD.pack(number)
    if -_TOP_BIT <= number < 0:
        return _NEGATIVE_TAG + _SIGNED.pack(number)
    size = (abs(number).bit_length() + 7) // 8
    if size > _HUGE_BYTES_MAX:
        raise errors.UsageError(f"an int of {size} bytes is too large for a key.", hint="Store it as a text or value.")
    if number > 0:
        return bytes((HUGE, size)) + number.to_bytes(size, "big")
    return bytes((HUGE_NEGATIVE, 255 - size)) + (number + (1 << 8 * size) - 1).to_bytes(size, "big")


def _encoded_float(number: float) -> bytes:
    if number != number:  # noqa: PLR0124 - this is what a NaN is
        raise errors.UsageError("NaN has no place in an order.", hint="Use None, or leave the entry out.")
    bits = _WORD.unpack(_DOUBLE.pack(number or 0.0))[0]  # -0.0 equals 0.0, so both are one key
    return _FLOAT_TAG + _WORD.pack(bits ^ (_WORD_MAX if bits & _TOP_BIT else _TOP_BIT))


def _encoded_datetime(moment: datetime) -> bytes:
    if moment.utcoffset() is None:
        return _NAIVE_TAG + _WORD.pack((moment.replace(tzinfo=None) - _EPOCH) // _MICROSECOND + _TOP_BIT)
    since = moment - _EPOCH_UTC
    if not _AWARE_MIN <= since <= _AWARE_MAX:
        raise errors.UsageError(f"{moment!r} is no year from 1 to 9999 in UTC.", hint="Leave the time zone out.")
    return _AWARE_TAG + _WORD.pack(since // _MICROSECOND + _TOP_BIT)


def _encoded_text(text: str) -> bytes:
    return _TEXT_TAG + _escaped(text.encode("utf-8", "surrogatepass"))


_TEXT_TAG, _BYTES_TAG, _FLOAT_TAG = bytes((TEXT,)), bytes((BYTES,)), bytes((FLOAT,))
_POSITIVE_TAG, _NEGATIVE_TAG = bytes((POSITIVE,)), bytes((NEGATIVE,))
_NAIVE_TAG, _AWARE_TAG, _UUID_TAG = bytes((NAIVE,)), bytes((AWARE,)), bytes((UUID_,))

_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: bytes((NONE,)),
    bool: lambda value: bytes((TRUE if value else FALSE,)),
    int: _encoded_int,
    float: _encoded_float,
    str: _encoded_text,
    bytes: lambda value: _BYTES_TAG + _escaped(value),
    datetime: _encoded_datetime,
    UUID: lambda value: _UUID_TAG + value.bytes,
}


def _elements(key: bytes, at: int) -> list[tuple[Any, int]]:
    """The elements from byte `at` on, each with the byte its tag stands at."""
    found: list[tuple[Any, int]] = []
    size = len(key)
    if at >= size:
        raise errors.CorruptError(f"{key!r:.80} is no key of this store.", hint="Run check().")
    try:
        while at < size:
            start = at
            element, at = _DECODERS[key[at]](key, at + 1)
            found.append((element, start))
    except (KeyError, IndexError, ValueError, OverflowError, struct.error) as error:
        raise errors.CorruptError(f"{key!r:.80} is no key of this store.", hint="Run check().") from error
    return found


def _until_end(key: bytes, at: int) -> tuple[bytes, int]:
    end = key.find(END, at)
    if end < 0:
        return _unescaped(key[at:]), len(key)
    if end + 1 == len(key):
        raise ValueError("an end without an element behind it")
    return _unescaped(key[at:end]), end + 1


def _decoded_text(key: bytes, at: int) -> tuple[str, int]:
    text, at = _until_end(key, at)
    return text.decode("utf-8", "surrogatepass"), at


def _decoded_negative(key: bytes, at: int) -> tuple[int, int]:
    number = _SIGNED.unpack_from(key, at)[0]
    if number >= 0:
        raise ValueError("not below 0")
    return number, at + _INT_BYTES


def _decoded_huge(key: bytes, at: int) -> tuple[int, int]:
    end = at + 1 + key[at]
    number = int.from_bytes(key[at + 1 : end], "big")
    if _encoded_int(number) != key[at - 1 : end]:
        raise ValueError("cut off, or not huge")
    return number, end


def _decoded_huge_negative(key: bytes, at: int) -> tuple[int, int]:
    size = 255 - key[at]
    end = at + 1 + size
    number = int.from_bytes(key[at + 1 : end], "big") - (1 << 8 * size) + 1
    if _encoded_int(number) != key[at - 1 : end]:
        raise ValueError("cut off, or not huge")
    return number, end


def _decoded_float(key: bytes, at: int) -> tuple[float, int]:
    bits = _WORD.unpack_from(key, at)[0]
    number = _DOUBLE.unpack(_WORD.pack(bits ^ (_TOP_BIT if bits & _TOP_BIT else _WORD_MAX)))[0]
    if number != number or bits == _MINUS_ZERO:  # noqa: PLR0124 - NaN
        raise ValueError("no number that a key can hold")
    return number, at + _INT_BYTES


def _decoded_uuid(key: bytes, at: int) -> tuple[UUID, int]:
    return UUID(bytes=key[at : at + 16]), at + 16


def _moment(key: bytes, at: int) -> timedelta:
    return timedelta(microseconds=_WORD.unpack_from(key, at)[0] - _TOP_BIT)


_DECODERS: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {
    NONE: lambda _key, at: (None, at),
    FALSE: lambda _key, at: (False, at),
    TRUE: lambda _key, at: (True, at),
    HUGE_NEGATIVE: _decoded_huge_negative,
    NEGATIVE: _decoded_negative,
    POSITIVE: lambda key, at: (_WORD.unpack_from(key, at)[0], at + _INT_BYTES),
    HUGE: _decoded_huge,
    FLOAT: _decoded_float,
    TEXT: _decoded_text,
    BYTES: _until_end,
    NAIVE: lambda key, at: (_EPOCH + _moment(key, at), at + _INT_BYTES),
    AWARE: lambda key, at: (_EPOCH_UTC + _moment(key, at), at + _INT_BYTES),
    UUID_: _decoded_uuid,
}
