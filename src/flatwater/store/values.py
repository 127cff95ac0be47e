"""What stands behind a key: bytes as they are, or typed values through msgspec.

Covers:     encoding and decoding, refusing what could not be read again, saying which entry is damaged.
Not here:   keys (`store.keys`), schemas of tables and files (`build`).
Holds:      an encoder and a decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from flatwater import errors
from flatwater.store.keys import shown

FORMATS: Final = ("msgpack", "json")


class Values:
    """How values turn into bytes and back.

    Args:
        kind: `bytes`, or a type that msgspec knows: a Struct, a dataclass, a TypedDict, dict, int, ...
        form: of typed values, "msgpack" or "json".
    """

    def __init__(self, kind: Any = bytes, form: str = "msgpack") -> None:
        if form not in FORMATS:
            raise errors.UsageError(f"format={form!r} is not known.", hint=f"Take one of {', '.join(FORMATS)}.")
        self.kind = kind
        self.form = form
        self.decoder: Callable[[bytes], Any] | None = None  # None: bytes are what they are
        self._encode: Callable[[Any], bytes] = bytes
        if kind is bytes:
            return
        library = msgspec.msgpack if form == "msgpack" else msgspec.json
        try:
            self.decoder = library.Decoder(kind).decode
        except TypeError as error:
            raise errors.UsageError(f"type={kind!r} cannot be stored: {error}.") from error
        self._encode = library.Encoder().encode
        self._taken = object if kind is float and form == "json" else kind  # JSON has no NaN, and says null

    @property
    def is_raw(self) -> bool:
        """Whether values are bytes."""
        return self.decoder is None

    def encode(self, value: Any) -> bytes:
        """The bytes to be stored.

        An instance of the type itself is taken as it is, and so are the fields of a Struct or dataclass, whatever was put
        into them. Anything else (a dict for a Struct, say) is read once, to see that it can be.

        Raises:
            UsageError: it is no value of this kind, or None, which is what a key without a value has.
        """
        if self.decoder is None:
            if type(value) is bytes:
                return value
            if isinstance(value, (bytes, bytearray, memoryview)):
                return bytes(value)
            raise errors.UsageError(
                f"{shown(value)} is {type(value).__name__}, and this store holds bytes.",
                hint="Encode it, or name the type: Store(path, type=...), store.partition(name, type=...).",
            )
        if value is None:
            raise errors.UsageError("None is no value.", hint="delete(key) deletes; write takes None for that, too.")
        try:
            stored = self._encode(value)
            if type(value) is not self._taken or (self.form == "json" and b"null" in stored):  # NaN is written as null
                self.decoder(stored)
        except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise errors.UsageError(
                f"{shown(value)} cannot be stored as {_name(self.kind)} in {self.form}: {error}."
            ) from error
        return stored

    def encode_many(self, values: Sequence[Any]) -> list[bytes | None]:
        """The bytes of several; None stays None.

        Raises:
            UsageError: one is no value of this kind.
        """
        if self.decoder is None and set(map(type, values)) <= {bytes, type(None)}:
            return list(values)
        encode = self.encode
        return [None if value is None else encode(value) for value in values]

    def decode(self, stored: bytes, key: object) -> Any:
        """The value of the entry `key`.

        Raises:
            CorruptError: these bytes are no value of this kind.
        """
        if self.decoder is None:
            return stored
        try:
            return self.decoder(stored)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise errors.CorruptError(
                f"the value of {shown(key)} is no {_name(self.kind)} in {self.form}: {error}.",
                hint="Open the store with the type that it was written with.",
            ) from error


def _name(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind))
