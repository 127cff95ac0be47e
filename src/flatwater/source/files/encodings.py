"""Know how a file's text is encoded, and give it in an encoding whose lines can be found as bytes.

Covers:     byte order marks; which encodings can be split at the byte 0x0A; turning the others into UTF-8.
Not here:   splitting (`files.blocks`), what happens to bytes that are no text (`files.line_reader`).
Holds:      a block of text on its way; see `Transcoded.held_bytes`.
"""

from __future__ import annotations

import codecs
import re
from typing import Any, final

from flatwater import errors, limits
from flatwater.source.files.opening import Raw

MARKS = (
    # The longer ones first: that of UTF-32 begins like that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
MARK_BYTES_MAX = 4
_STATEFUL = ("utf-7", "utf_7", "hz", "iso2022", "punycode", "idna")  # where a byte 0x0A need not be a line's end
_ASCII = bytes(range(128))
MARKING = (
    "flatwater.marking"  # a handler of bytes that are no text: each becomes half a pair of UTF-16, which no text has
)
MARKED = re.compile("[\udc00-\udcff]")


def checked_encoding(encoding: str) -> str:
    """Its usual name.

    Raises:
        UsageError: Python does not know it, or it is no encoding of text.

    >>> checked_encoding("UTF8"), checked_encoding("Latin-1")
    ('utf-8', 'iso8859-1')
    """
    try:
        found = codecs.lookup(encoding)
        "".encode(encoding)
    except (LookupError, TypeError, ValueError):
        raise errors.UsageError(
            f"encoding={encoding!r} is not known.",
            hint="Use 'utf-8', 'utf-16', 'latin-1' or another of Python's; None gives bytes.",
        ) from None
    return found.name


def marked(first: bytes, encoding: str) -> tuple[str, int]:
    r"""The encoding of a text that begins with `first`, and how many bytes its mark takes.

    A mark counts where the encoding that was asked for is one of Unicode's: nobody writes one by chance there.

    >>> marked(b"\xff\xfei\0", "utf-8"), marked(b"\xef\xbb\xbfid", "utf-8"), marked(b"id", "utf-8")
    (('utf-16-le', 2), ('utf-8', 3), ('utf-8', 0))
    """
    if encoding.startswith("utf"):
        for mark, name in MARKS:
            if first.startswith(mark):
                return name, len(mark)
    if encoding in {"utf-16", "utf-32"}:
        return f"{encoding}-le", 0  # without a mark: what nearly all machines write
    return ("utf-8" if encoding == "utf-8-sig" else encoding), 0


def splits_as_bytes(encoding: str) -> bool:
    """Whether each byte 0x0A is the end of a line, and no line ends otherwise.

    >>> splits_as_bytes("utf-8"), splits_as_bytes("shift_jis"), splits_as_bytes("utf-16-le"), splits_as_bytes("cp037")
    (True, True, False, False)
    """
    if encoding.startswith(_STATEFUL):
        return False
    try:
        return _ASCII.decode(encoding) == _ASCII.decode("ascii") or encoding in {"shift_jis", "johab"}
    except UnicodeDecodeError:
        return False


def marked_bytes(text: str) -> str:
    r"""What stood in a text where `MARKING` has left something; empty if nothing did.

    >>> marked_bytes(b"caf\xe9".decode("utf-8", MARKING)), marked_bytes("caf")
    ('byte 0xe9', '')
    """
    found = MARKED.search(text)
    return f"byte 0x{ord(found[0]) - _MARK:02x}" if found else ""


_MARK = 0xDC00


def _marking(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return chr(_MARK + error.object[error.start]), error.end


codecs.register_error(MARKING, _marking)


@final
class Transcoded(Raw):
    """Bytes of one encoding, given as UTF-8.

    Where `handling` is "strict", bytes that are no text become such as are no UTF-8 either: whoever takes the lines finds
    them there, with the line.

    Attributes:
        wrong: what the first of them are, in words.

    Raises, while reading:
        CorruptError: bytes that are no text, and that `handling` cannot handle.
    """

    def __init__(self, inner: Any, encoding: str, handling: str, name: str, start: int) -> None:
        super().__init__()
        self.held_bytes = inner.held_bytes
        self.held_bytes += limits.FILES_INPUT_BYTES  # bytes as they are read
        self.held_bytes += 4 * limits.FILES_INPUT_BYTES  # their text
        self.held_bytes += 4 * limits.FILES_INPUT_BYTES  # the text as UTF-8, until it is taken
        self._inner = inner
        self._decoder = codecs.getincrementaldecoder(encoding)(
            "surrogatepass" if handling == "surrogatepass" else handling
        )
        self.wrong = ""
        self.encoding = encoding
        self._name = name
        self._taken = start
        self._left = memoryview(b"")
        self._is_over = False

    def readinto(self, buffer: Any) -> int:
        """Some UTF-8."""
        while not self._left:
            if self._is_over:
                return 0
            data: bytes = self._inner.read(limits.FILES_INPUT_BYTES)
            self._is_over = not data
            try:
                text = self._decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                waiting = len(error.object) - len(data)  # an incomplete letter of the last block stands before it
                self.wrong = f"{error.reason} at byte {self._taken - waiting + error.start}"
                if self._decoder.errors != "strict":
                    raise errors.CorruptError(
                        f"{self._name} is no {self.encoding}: {self.wrong}.",
                        hint="Pass the right encoding=, or errors='replace'.",
                    ) from None
                self._decoder.errors = MARKING
                text = self._decoder.decode(data, final=not data)
            self._taken += len(data)
            self._left = memoryview(text.encode("utf-8", "surrogatepass"))
        count = min(len(self._left), len(buffer))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def check_end(self) -> None:
        """As of the bytes."""
        self._inner.check_end()

    def close(self) -> None:
        """Close the bytes."""
        if not self.closed:
            self._inner.close()
        super().close()
