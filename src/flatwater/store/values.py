"""What stands behind a key: bytes as they are, or typed values through msgspec.

Covers:     encoding and decoding one value, refusing what is of another type, saying which entry is damaged.
Not here:   keys (`store.keys`), schemas of tables and files (`build`).
Holds:      an encoder and a decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from flatwater import errors

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

    @property
    def is_raw(self) -> bool:
        """Whether values are bytes."""
        return self.decoder is None

    def encode(self, value: Any) -> bytes:
        """The bytes to be stored.

        Raises:
            UsageError: it is no value of this kind.
        """
        if type(value) is bytes and self.decoder is None:
            return value
        if self.decoder is None:
            if not isinstance(value, (bytes, bytearray, memoryview)):
                raise errors.UsageError(
                    f"{value!r:.80} is {type(value).__name__}, and this store holds bytes.",
                    hint="Encode it, or name the type: Store(path, type=...), store.partition(name, type=...).",
                )
            return bytes(value)
        try:
            return self._encode(value)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise errors.UsageError(f"{value!r:.80} cannot be stored as {self.form}: {error}.") from error

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
                f"the value of {key!r:.120} is no {_name(self.kind)} in {self.form}: {error}.",
                hint="Open the store with the type that it was written with.",
            ) from error


def _name(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind))
