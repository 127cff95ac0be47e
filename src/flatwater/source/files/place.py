"""Where bytes come from, and which of them: what a source is made of before it is opened.

Covers:     checking arguments; the name that errors show; splitting into ranges.
Not here:   opening (`files.opening`).
Holds:      the arguments.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits

if TYPE_CHECKING:
    import threading

COMPRESSIONS = ("auto", "none", "gzip", "zstd", "bz2", "xz")
STANDARD_INPUT = "-"
PLACE_OPTIONS = (
    "offset", "length", "compression", "expansion_max", "window_max", "follow", "stop", "storage_options",
)  # fmt: skip

Mark = int | tuple[int, int, int]  # a byte; with device and inode, where a file is followed


@final
class Place:
    """The checked arguments of a source. Picklable where they are; nothing is open.

    Args:
        target: a path, a URL, "-" for standard input, an open binary file or its descriptor.
        offset: bytes (decoded ones) that are passed over first.
        length: bytes at most; None for all that follow.
        compression: one of `COMPRESSIONS`; "auto" looks at the first bytes.
        expansion_max: decoded bytes for each compressed one, at most.
        window_max: bytes that a decompressor may need; None for what the file's first header asks for, up to
            `limits.FILES_WINDOW_BYTES_MAX`.
        follow: wait for more at the end of a local file.
        stop: an event that ends the waiting.
        storage_options: for the library that opens URLs.
        size_expected: bytes that the whole file had when it was split into ranges; -1 where it was not.
        identity: device and inode of the file that was followed up to `offset`; None for the one that has the path now.

    Raises:
        UsageError: they make no sense.
    """

    __slots__ = (
        "compression", "expansion_max", "follow", "identity", "length", "offset", "size_expected", "stop", "storage_options",
        "target", "window_max",
    )  # fmt: skip

    def __init__(
        self,
        target: Any,
        *,
        offset: str | int = 0,
        length: str | int | None = None,
        compression: str = "auto",
        expansion_max: float = limits.FILES_EXPANSION_MAX,
        window_max: str | int | None = None,
        follow: bool = False,
        stop: threading.Event | None = None,
        storage_options: Mapping[str, Any] | None = None,
        size_expected: int = -1,
        identity: tuple[int, int] | None = None,
    ) -> None:
        self.target = _checked_target(target)
        self.offset = errors.bytes_of(offset, what="offset")
        self.length = None if length is None else errors.bytes_of(length, what="length")
        if compression not in COMPRESSIONS:
            raise errors.UsageError(
                f"compression={compression!r} is not known.", hint=f"Use one of {', '.join(COMPRESSIONS)}."
            )
        self.compression = compression
        if (
            isinstance(expansion_max, bool)
            or not isinstance(expansion_max, int | float)
            or not 1 <= expansion_max < float("inf")
        ):
            raise errors.UsageError(
                f"expansion_max={expansion_max!r} is no ratio.", hint="Pass decoded bytes for each compressed byte."
            )
        self.expansion_max = expansion_max
        self.window_max = None if window_max is None else errors.bytes_of(window_max, what="window_max", least=1 << 15)
        self.follow = bool(follow)
        if self.follow and (not self.is_local_path or compression not in {"auto", "none"} or length is not None):
            raise errors.UsageError(
                "follow=True waits for more of a plain local file, read to no given length.",
                hint="Pass its path, without compression and length.",
            )
        self.stop = stop
        if not isinstance(storage_options, Mapping | None):
            raise errors.UsageError(f"storage_options={storage_options!r}: a dict of the library's options.")
        self.storage_options = dict(storage_options or {})
        if self.storage_options and not self.is_url:
            raise errors.UsageError("storage_options go with a URL.", hint="Leave them out for a local file.")
        self.size_expected = size_expected
        self.identity = identity

    @property
    def is_url(self) -> bool:
        """Whether a library opens it."""
        return isinstance(self.target, str) and _is_url(self.target)

    @property
    def is_local_path(self) -> bool:
        """Whether it is a file of this machine that can be opened again, elsewhere in it."""
        return isinstance(self.target, str | bytes) and not self.is_url and self.target != STANDARD_INPUT

    @property
    def name(self) -> str:
        """For people: on one line, without what may be secret in a URL."""
        target = self.target
        if isinstance(target, bytes):
            return on_one_line(os.fsdecode(target))
        if isinstance(target, str):
            if target == STANDARD_INPUT:
                return "standard input"
            return on_one_line(public_url(target) if self.is_url else target)
        if isinstance(target, int):
            return f"descriptor {target}"
        named = getattr(target, "name", None)
        return named if isinstance(named, str) and named else f"a {type(target).__name__}"

    def arguments(self) -> dict[str, Any]:
        """What makes it again; see `Place`."""
        return {name: getattr(self, name) for name in self.__slots__}

    def part(self, **changes: Any) -> Place:
        """The same with other arguments."""
        return Place(**{**self.arguments(), **changes})

    def since(self, position: Mark) -> Place:
        """The same bytes, but those in front of a position; of a file that is followed, the one that was read there."""
        if isinstance(position, tuple):
            return self.part(offset=position[0], identity=position[1:])
        passed = max(0, position - self.offset)
        return self.part(offset=position, length=None if self.length is None else max(0, self.length - passed))

    def bytes_known(self) -> int:
        """Bytes of it that there are now; 0 where it is no plain local file, or cannot be opened."""
        size, kind = self.looked_at()
        if kind != "none" or self.follow:
            return 0
        return max(0, (size if self.length is None else min(size, self.offset + self.length)) - self.offset)

    def looked_at(self) -> tuple[int, str]:
        """Size and compression of a regular local file, by its first bytes; 0 and "" where it is none, or cannot be read."""
        from flatwater.source.files.opening import MAGIC_BYTES, compression_of

        if not self.is_local_path:
            return 0, ""
        try:
            found = os.stat(self.target)
            if not stat.S_ISREG(found.st_mode):  # to open a pipe is to wait for its writer
                return 0, ""
            with open(self.target, "rb", buffering=0) as file:
                kind = compression_of(file.read(MAGIC_BYTES)) if self.compression == "auto" else self.compression
        except OSError:
            return 0, ""
        return found.st_size, kind

    def __reduce__(self) -> tuple[Any, ...]:
        if not isinstance(self.target, str | bytes) or self.target == STANDARD_INPUT:
            raise errors.UsageError(
                f"{self.name} cannot be sent to another process: it is open in this one.", hint="Pass a path or a URL."
            )
        if self.stop is not None:
            raise errors.UsageError("an event cannot be sent to another process.", hint="Leave stop= out.")
        return _made, (self.arguments(),)

    def ranges(self, count: int) -> list[Place]:
        """About `count` parts of equal length that together are the whole, for a plain local file."""
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= limits.FILES_RANGES_MAX:
            raise errors.UsageError(f"ranges({count!r}): from 1 to {limits.FILES_RANGES_MAX} parts.")
        if not self.is_local_path or self.follow:
            raise errors.UsageError(
                f"{self.name} cannot be split: only a plain local file has ranges.", hint="Read it as a whole."
            )
        from flatwater.source.files.opening import MAGIC_BYTES, compression_of, not_opened

        try:
            with open(self.target, "rb", buffering=0) as file:
                found = os.fstat(file.fileno())
                first = file.read(MAGIC_BYTES)
                kind = compression_of(first) if self.compression == "auto" else self.compression
        except OSError as error:
            raise not_opened(self.name, error) from error
        if not stat.S_ISREG(found.st_mode) or kind != "none":
            what = f"{kind} data" if kind != "none" else "no regular file"
            raise errors.UsageError(
                f"{self.name} is {what} and cannot be split: its bytes come one after the other.",
                hint="Read it as a whole, or keep several files.",
            )
        size = found.st_size
        if first and not size:
            raise errors.UsageError(
                f"{self.name} cannot be split: its size is not known before it is read.", hint="Read it as a whole."
            )
        stop = size if self.length is None else min(size, self.offset + self.length)
        whole = max(0, stop - self.offset)
        edges = [self.offset + whole * number // count for number in range(count + 1)]
        return [
            self.part(offset=start, length=end - start, compression="none", size_expected=size)
            for start, end in pairwise(edges)
            if end > start
        ]


def on_one_line(name: str) -> str:
    r"""A name that can be printed: with escapes for ends of lines, and for bytes that are no text.

    >>> on_one_line("rows.csv"), on_one_line("rows\n2.csv")
    ('rows.csv', 'rows\\n2.csv')
    """
    return (
        name
        if name.isprintable()
        else "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in name)
    )


def public_url(url: str) -> str:
    """A URL without what may be secret in it: user, password, query, fragment.

    >>> public_url("https://ann:secret@example.org/logs/a.gz?signature=123")
    'https://example.org/logs/a.gz'
    """
    scheme, _, rest = url.partition("://")
    rest = rest.partition("?")[0].partition("#")[0]
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def known_options(options: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments, if each of them is one.

    Raises:
        UsageError: one is not.
    """
    for name in options:
        if name not in PLACE_OPTIONS:
            raise errors.UsageError(f"{name}= is not known.", hint=f"There are {', '.join(PLACE_OPTIONS)}.")
    return options


def _is_url(target: str) -> bool:
    scheme, found, _ = target.partition("://")
    return bool(found) and scheme[:1].isalpha() and scheme.replace("+", "").replace("-", "").replace(".", "").isalnum()


def _checked_target(target: Any) -> Any:
    """A str, bytes, int or file object."""
    if isinstance(target, os.PathLike):
        target = os.fspath(target)
    if isinstance(target, bool) or target is None:
        raise errors.UsageError(f"{target!r} names no file.", hint="Pass a path, a URL, '-' or an open binary file.")
    if isinstance(target, str | bytes):
        if not target or (b"\0" in target if isinstance(target, bytes) else "\0" in target):
            raise errors.UsageError(
                f"{target!r} names no file.", hint="Pass a path, a URL, '-' or an open binary file."
            )
        if isinstance(target, str) and target[:7].lower() == "file://":
            from urllib.request import url2pathname

            path = target[7:]
            return url2pathname(path.removeprefix("localhost") if path.startswith("localhost/") else path)
        return target
    if isinstance(target, int):
        if target < 0:
            raise errors.UsageError(f"{target} is no descriptor.", hint="Pass what os.open or .fileno() gave.")
        return target
    if not callable(getattr(target, "read", None)) and not callable(getattr(target, "readinto", None)):
        raise errors.UsageError(
            f"a {type(target).__name__} cannot be read.", hint="Pass a path, a URL, '-' or an open binary file."
        )
    if hasattr(target, "encoding") and hasattr(target, "newlines"):
        raise errors.UsageError(
            f"{getattr(target, 'name', 'the file')!r} is open for text, and chunks are bytes.",
            hint="Open it with mode 'rb', or pass its .buffer.",
        )
    return target


def _made(arguments: dict[str, Any]) -> Place:
    return Place(**arguments)
