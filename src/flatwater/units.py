"""Read and write sizes and durations the way people type them.

Covers:     "256 MiB", "1.5GB", "64k", 4096 as bytes; "10s", "250ms", "2h" as seconds; "25k..400k" as counts.
Not here:   dates and time zones; the error a caller sees (`errors.bytes_of` turns `ValueError` into `UsageError`).
Holds:      nothing.

Units follow the field: KiB, MiB, GiB, TiB and the single letters K, M, G, T are powers of 1024 (as containers, the
JVM and systemd read them); kB, MB, GB, TB are powers of 1000 (SI).
"""

from __future__ import annotations

import math
import re

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30
TIB = 1 << 40

DIGITS_MAX = 40  # more are no figure of this world; a float ends at 308
BYTES_VALUE_MAX = (1 << 63) - 1  # what the kernel's own interfaces can take

_BYTES_FACTORS = {
    "": 1, "b": 1, "byte": 1, "bytes": 1,
    "k": KIB, "kib": KIB, "kb": 10**3,
    "m": MIB, "mib": MIB, "mb": 10**6,
    "g": GIB, "gib": GIB, "gb": 10**9,
    "t": TIB, "tib": TIB, "tb": 10**12,
}  # fmt: skip
_SECONDS_FACTORS = {
    "ns": 1e-9, "us": 1e-6, "ms": 1e-3, "": 1.0, "s": 1.0, "sec": 1.0,
    "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0,
}  # fmt: skip
_COUNT_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}

_QUANTITY = re.compile(r"([0-9]+(?:_[0-9]{3})*(?:\.[0-9]+)?|\.[0-9]+)\s*([a-zµ]*)", re.ASCII | re.IGNORECASE)


def parse_bytes(text: str | int) -> int:
    """Bytes in `text`, rounded down to a whole byte.

    Args:
        text: a number of bytes (`int`), or a number with a unit such as "256 MiB", "1.5GB", "64k".

    Raises:
        ValueError: it is not a size, is negative, or does not fit 63 bits; the message says what to write.

    >>> parse_bytes("256 MiB")
    268435456
    >>> parse_bytes("1.5kB"), parse_bytes("64k"), parse_bytes(4096)
    (1500, 65536, 4096)
    """
    if isinstance(text, bool) or not isinstance(text, (str, int)):
        raise ValueError(f"{text!r} is not a size; write a number of bytes or a string such as '256 MiB'")
    if isinstance(text, int):
        value = text
    else:
        value = int(_parse(text, _BYTES_FACTORS, "a size", "256MiB, 1.5GB, 64k or a number of bytes"))
    if value < 0:
        raise ValueError(f"{text!r} is negative; a size is 0 or more bytes")
    if value > BYTES_VALUE_MAX:
        raise ValueError(f"{text!r} does not fit 63 bits; the largest size is {BYTES_VALUE_MAX} bytes (8 EiB)")
    return value


def format_bytes(count: float) -> str:
    """A size for people: one decimal below 100, binary units.

    >>> format_bytes(0), format_bytes(1536), format_bytes(268435456), format_bytes(-2048)
    ('0 B', '1.5 KiB', '256 MiB', '-2.0 KiB')
    """
    sign = "-" if count < 0 else ""
    size = abs(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1023.5 or unit == "TiB":  # noqa: PLR2004 - rounds to 1024 of this unit from here on
            break
        size /= 1024
    if unit == "B":
        return f"{sign}{size:.0f} B"
    return f"{sign}{size:.0f} {unit}" if size >= 99.95 else f"{sign}{size:.1f} {unit}"  # noqa: PLR2004 - as documented


def parse_duration(text: str | float) -> float:
    """Seconds in `text`.

    Raises:
        ValueError: it is not a duration, or is negative or not finite; the message says what to write.

    >>> parse_duration("250ms"), parse_duration("2h"), parse_duration(1.5)
    (0.25, 7200.0, 1.5)
    """
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise ValueError(f"{text!r} is not a duration; write seconds or a string such as '250ms', '10s', '2h'")
    if isinstance(text, str):
        return _parse(text, _SECONDS_FACTORS, "a duration", "250ms, 10s, 5m or 2h")
    if not math.isfinite(text) or text < 0:
        raise ValueError(f"{text!r} is not a duration; it is a finite number of seconds, 0 or more")
    return float(text)


def format_duration(seconds: float) -> str:
    """A duration for people, to two or three figures.

    >>> format_duration(0.0004), format_duration(0.25), format_duration(12.34), format_duration(3700)
    ('400 us', '250 ms', '12.3 s', '1 h 2 min')
    """
    if seconds < 0:
        return f"-{format_duration(-seconds)}"
    if seconds < 0.9995e-3:  # noqa: PLR2004 - rounds to 1 ms from here on
        return f"{seconds * 1e6:.0f} us"
    if seconds < 0.9995:  # noqa: PLR2004 - rounds to 1 s from here on
        return f"{seconds * 1e3:.0f} ms"
    if seconds < 99.95:  # noqa: PLR2004 - three figures
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    if minutes < 60:  # noqa: PLR2004 - minutes in an hour
        return f"{seconds:.0f} s" if seconds < 600 else f"{minutes} min"  # noqa: PLR2004 - ten minutes
    hours, minutes = divmod(minutes, 60)
    if hours < 48:  # noqa: PLR2004 - two days
        return f"{hours} h {minutes} min"
    return f"{hours / 24:.1f} days"


def parse_count(text: str | int) -> int:
    """A number of items, with decimal suffixes.

    >>> parse_count("25k"), parse_count("1.5M"), parse_count(10)
    (25000, 1500000, 10)
    """
    if isinstance(text, bool) or not isinstance(text, (str, int)):
        raise ValueError(f"{text!r} is not a count; write a whole number or a string such as '25k'")
    found = text if isinstance(text, int) else _parse(text, _COUNT_FACTORS, "a count", "25k, 1.5M or 400000")
    value = int(found)
    if value != found:
        raise ValueError(f"{text!r} is not a whole number")
    if value < 0:
        raise ValueError(f"{text!r} is negative; a count is 0 or more")
    return value


def _parse(text: str, factors: dict[str, float] | dict[str, int], kind: str, examples: str) -> float:
    """The number in `text` times its unit's factor; exact for whole numbers of any size."""
    shown = text if len(text) <= 2 * DIGITS_MAX else text[:DIGITS_MAX] + "..."
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{shown!r} is not {kind}; write {examples}")
    number, unit = match[1].replace("_", ""), match[2].lower().replace("µ", "u")
    if unit not in factors:
        raise ValueError(f"{shown!r}: unknown unit {match[2][:DIGITS_MAX]!r}; write {examples}")
    if len(number) > DIGITS_MAX:
        raise ValueError(f"{shown!r} is too large to be {kind}; write {examples}")
    factor = factors[unit]
    value = float(number) * factor if "." in number else int(number) * factor
    if not math.isfinite(value):
        raise ValueError(f"{shown!r} is too large to be {kind}")
    return value
