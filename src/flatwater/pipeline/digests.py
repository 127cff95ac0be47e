"""Sixteen bytes that stand for a key: the same for keys that are equal, and different for all others.

Covers:     numbers of all kinds, texts, bytes, dates, containers, dataclasses, what pickle would save of other objects.
Not here:   remembering them (`pipeline.remembering`).
Holds:      one key as bytes.

BLAKE2b of an encoding in which no two keys look alike. Two of a billion keys have the same digest with a probability of
1 in 10^20.
"""

from __future__ import annotations

import dataclasses
import math
import struct
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, Flag
from hashlib import blake2b
from numbers import Complex, Integral, Rational, Real
from typing import Any

DIGEST_BYTES = 16

_EXPONENT_MAX = 400  # of a Decimal that is taken as a number; no float is larger


def digest_of(key: Any) -> bytes:
    """Of one key.

    Keys are equal as Python has it: 1, 1.0 and True are one key, and so are a named tuple and a tuple, and dicts in any order.
    All NaN are one key, too.

    Raises:
        TypeError: nothing tells whether it is equal to another one.
    """
    kind = type(key)
    if kind is str:
        data = b"s" + key.encode("utf-8", "surrogatepass")
    elif kind is bytes:
        data = b"b" + key
    else:
        data = _encoded(key)
    return blake2b(data, digest_size=DIGEST_BYTES).digest()


def _encoded(key: Any) -> bytes:
    if key is None:
        return b"n"
    if isinstance(key, str):
        return b"s" + key.encode("utf-8", "surrogatepass")
    if isinstance(key, (bytes, bytearray, memoryview)):
        return b"b" + bytes(key)
    if isinstance(key, (int, float, Complex, Decimal)):
        return _number(key)
    if isinstance(key, tuple):
        return b"t" + _parts(map(_encoded, key))
    if isinstance(key, list):
        return b"l" + _parts(map(_encoded, key))
    if isinstance(key, dict):
        return b"m" + _parts(sorted(_parts((_encoded(name), _encoded(value))) for name, value in key.items()))
    if isinstance(key, (set, frozenset)):
        return b"z" + _parts(sorted(map(_encoded, key)))
    return _other(key)


def _parts(parts: Iterable[bytes]) -> bytes:
    """One behind the other, each with its length, so that no others look the same."""
    return b"".join(b"%d:%b" % (len(part), part) for part in parts)


def _number(key: Any) -> bytes:
    """Equal numbers are the same, whatever their types."""
    if isinstance(key, (int, Integral)):
        return b"i%x" % int(key)
    if isinstance(key, Decimal):
        if not key.is_finite():
            return _float(float(key) if not key.is_nan() else math.nan)
        if abs(key.adjusted()) > _EXPONENT_MAX:
            return _decimal(key)
        return _ratio(*key.as_integer_ratio())
    if isinstance(key, Rational):
        return _ratio(int(key.numerator), int(key.denominator))
    if isinstance(key, Real):
        return _float(float(key))
    whole = complex(key)
    return _float(whole.real) if not whole.imag else b"c" + _parts((_float(whole.real), _float(whole.imag)))


def _float(key: float) -> bytes:
    if key.is_integer():
        return b"i%x" % int(key)
    return b"f" + (struct.pack(">d", key) if not math.isnan(key) else b"")


def _decimal(key: Decimal) -> bytes:
    """One beyond all floats, digit by digit: arithmetic would round it to the precision of the context."""
    sign, digits, exponent = key.as_tuple()
    plain = "".join(map(str, digits)).lstrip("0")
    bare = plain.rstrip("0")
    return b"d%d:%s:%d" % (sign, bare.encode(), int(exponent) + len(plain) - len(bare))


def _ratio(over: int, below: int) -> bytes:
    if below == 1:
        return b"i%x" % over
    try:
        near = over / below
        if near.as_integer_ratio() == (over, below):
            return _float(near)
    except OverflowError:
        pass  # larger than any float
    return b"r%x/%x" % (over, below)


def _other(key: Any) -> bytes:
    """Objects of other classes."""
    kind: Any = type(key)
    if isinstance(key, datetime):
        if key.utcoffset() is None:
            return b"D" + key.replace(fold=0).isoformat().encode()
        return b"U" + key.astimezone(UTC).replace(fold=0).isoformat().encode()
    if isinstance(key, date):
        return b"e" + key.isoformat().encode()
    if isinstance(key, type):
        return b"q" + _name_of(key)
    if isinstance(key, Enum):
        value = _encoded(key.value) if isinstance(key, Flag) else key.name.encode()  # a set of no flags has no name
        return b"E" + _parts((_name_of(kind), value))
    if kind.__eq__ is object.__eq__:
        raise TypeError(
            f"objects of {kind.__qualname__} are equal only to themselves, so that each would be new. "
            "Give a key that tells them apart: distinct(key=...)."
        )
    if dataclasses.is_dataclass(key):
        values = [_encoded(getattr(key, field.name)) for field in dataclasses.fields(key) if field.compare]
        return b"C" + _parts((_name_of(kind), *values))
    return b"o" + _parts((_name_of(kind), *_saved(key)))


def _saved(key: Any) -> Iterable[bytes]:
    """What pickle would save of an object."""
    found = key.__reduce_ex__(4)
    if isinstance(found, str):
        return [found.encode()]
    make, arguments, state, items, pairs = (*found, None, None, None)[:5]
    encoded = [_name_of(make), _encoded(arguments), _encoded(state)]
    if items is not None:
        encoded.append(_encoded(list(items)))
    if pairs is not None:
        encoded.append(_encoded(dict(pairs)))
    return encoded


def _name_of(thing: Any) -> bytes:
    return f"{thing.__module__}.{getattr(thing, '__qualname__', thing)}".encode()
