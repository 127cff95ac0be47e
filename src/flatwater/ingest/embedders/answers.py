"""Vectors out of an answer of OpenAI's interface, which anybody may have written.

Covers:     both forms of a vector (base64, numbers), items in any order, what is missing; a server's complaint.
Not here:   asking (`embedders.http`), whether the vectors are any good (`ingest.embedding`).
Holds:      the vectors, and one of them as Python numbers; see `bytes_max`.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import msgspec

from flatwater import errors, limits
from flatwater.ingest.embedders.base import EmbedderFailed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from flatwater.ingest.embedders.base import Vectors

_NUMBER_BYTES = 32  # of a component in JSON: f64 takes 24, a space and a comma
_FLOAT_BYTES = 32  # of a component as a Python number in a list
_ITEM_BYTES = 256  # of an item without its vector: two objects and a number
_START_BYTES = 1_000  # of an answer that are looked at for an error; what is shown of them is shorter
_OBJECTS_MORE = 16  # JSON objects of an answer that are no items: itself, its usage


class _Item(msgspec.Struct):
    embedding: msgspec.Raw
    index: int = -1  # some servers leave it out


class _Answer(msgspec.Struct):
    data: list[_Item]


class _Told(msgspec.Struct):
    message: str = ""


class _Complaint(msgspec.Struct):
    error: _Told | str = ""
    message: str = ""
    detail: msgspec.Raw = msgspec.Raw(b"")


def bytes_max(count: int, width: int) -> int:
    """The most that reading an answer of so many vectors holds beside the answer, in bytes."""
    total = 0
    total += (2 * count + _OBJECTS_MORE) * _ITEM_BYTES  # items, before their vectors are read
    total += _NUMBER_BYTES * width  # one vector's text
    total += _FLOAT_BYTES * width  # one vector as Python numbers
    total += 2 * 4 * count * width  # the vectors, and the same in one array
    return total


def vectors(content: bytes, count: int, name: str) -> Vectors:
    """The vectors of `count` texts, in their order, `(count, width)`. A component that is null becomes NaN.

    Raises:
        EmbedderFailed: it is not such an answer.
        BrokenError: vectors are missing, or differ in width.
    """
    import numpy as np

    if content.count(b"{") > 2 * count + _OBJECTS_MORE:  # before each becomes an object
        raise EmbedderFailed(f"{name} answers with far more items than the {count} texts that it got.")
    try:
        items = msgspec.json.decode(content, type=_Answer).data
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = "no JSON" if not isinstance(error, msgspec.ValidationError) else "JSON without embeddings"
        raise EmbedderFailed(
            f"{name} answers with {what} ({_start(content)}): {error}.",
            hint="Is this the address of such an interface?",
        ) from None
    rows: list[npt.NDArray[np.float32] | None] = [None] * count
    for place, item in enumerate(items):
        index = place if item.index < 0 else item.index
        if index >= count or rows[index] is not None:
            raise errors.BrokenError(
                f"{name} gives {len(items)} vectors for {count} texts, one of them for text {index}."
            )
        rows[index] = _vector(bytes(item.embedding), name)
    found = [row for row in rows if row is not None]
    if len(found) < count:
        raise errors.BrokenError(f"{name} gives {len(found)} vectors for {count} texts.")
    if len({row.size for row in found}) > 1:
        raise errors.BrokenError(f"{name} gives vectors of several widths.")
    return np.stack(found)


def complaint(content: bytes) -> str:
    """What a server says of a request that it refuses; the beginning of its answer where that has no known form."""
    try:
        said = msgspec.json.decode(content, type=_Complaint)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _start(content)
    error = said.error.message if isinstance(said.error, _Told) else said.error
    text = error or said.message or bytes(said.detail).decode("utf-8", "replace")
    return text or _start(content)


def _vector(raw: bytes, name: str) -> npt.NDArray[np.float32]:
    import numpy as np

    if len(raw) > _NUMBER_BYTES * limits.INGEST_WIDTH_MAX:
        raise EmbedderFailed(f"{name} gives a vector of more than {limits.INGEST_WIDTH_MAX:,} components.")
    try:
        if raw.startswith(b'"'):
            decoded = base64.b64decode(msgspec.json.decode(raw, type=str), validate=True)
            return np.frombuffer(decoded, "<f4").astype(np.float32, copy=False)
        return np.array(msgspec.json.decode(raw, type=list[float | None]), np.float32)
    except (msgspec.DecodeError, binascii.Error, ValueError, OverflowError) as error:
        raise EmbedderFailed(f"{name} gives a vector in no known form: {error}.") from None


def _start(content: bytes) -> str:
    """The beginning of it, in one line."""
    text = content[:_START_BYTES].decode("utf-8", "replace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
