"""Write down what there is to see under pressure: a JSON file of bounded size.

Covers:     holders, top types, thread stacks and the history, each cut to a length; the newest few files are kept.
Not here:   when to write (`watch.ladder`), what a separate process saw (`watch.sentinel`).
Holds:      the list of objects while it counts types (8 bytes each), and one file's text while it writes.

Looking must not cost what is left. Objects are counted only up to `limits.WATCH_EVIDENCE_BLOCKS_MAX` allocated blocks;
above that only the young generations are, and the file says so.
"""

from __future__ import annotations

import collections
import gc
import json
import os
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, final

from flatwater import errors, limits

if TYPE_CHECKING:
    from types import FrameType

    from flatwater.meter.timeline import Point

HOLDERS_MAX = 50
NAME_CHARS_MAX = 120
TYPES_MAX = 30
THREADS_MAX = 32
FRAMES_MAX = 20
POINTS_MAX = 512
TEXT_CHARS_MAX = 500
PREFIX = "flatwater-evidence-"


@final
class EvidenceFiles:
    """Writes evidence into a directory and keeps the newest few files.

    Args:
        directory: where; the system's temporary directory if empty. It is made when missing.
        files_max: how many of its own files are kept.

    Raises:
        UsageError: no path, or one that cannot be written to; better now than when memory is short.
    """

    def __init__(
        self, directory: str | os.PathLike[str] = "", *, files_max: int = limits.WATCH_EVIDENCE_FILES_MAX
    ) -> None:
        if not isinstance(directory, (str, os.PathLike)):
            raise errors.UsageError(
                f"evidence_dir={directory!r} is no path.", hint="Leave it out for the temporary one."
            )
        self.directory = os.fspath(directory)
        if self.directory:
            try:
                os.makedirs(self.directory, exist_ok=True)
            except (OSError, ValueError) as error:
                raise errors.UsageError(f"evidence_dir {self.directory!r} cannot be made: {error}.") from error
            if not os.access(self.directory, os.W_OK | os.X_OK):
                raise errors.UsageError(f"evidence_dir {self.directory!r} cannot be written to.")
        self._kept: collections.deque[str] = collections.deque()
        self._files_max = files_max

    def write(self, facts: Mapping[str, object], points: Sequence[Point] = ()) -> str:
        """Write `facts`, the history, types and stacks into a new file of its own; its path.

        Raises:
            OSError: the directory cannot be written.
        """
        import tempfile

        if self.directory:
            os.makedirs(self.directory, exist_ok=True)
        text = bounded_json({**facts, **top_types(), "threads": stacks(), "timeline": columns(points)})
        # Made by mkstemp: for its owner only, and never through a link that somebody put there.
        descriptor, path = tempfile.mkstemp(".json", f"{PREFIX}{os.getpid()}-", self.directory or None)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        self._kept.append(path)
        while len(self._kept) > self._files_max:
            try:
                os.unlink(self._kept.popleft())
            except OSError:
                continue  # whoever read it has moved it away
        return path


def bounded_json(facts: dict[str, object], bytes_max: int = limits.WATCH_EVIDENCE_BYTES_MAX) -> str:
    """`facts` as JSON of at most `bytes_max` bytes: the longest parts are left out, and named, until it fits.

    >>> bounded_json({"pid": 1, "long": "x" * 1000}, bytes_max=100)
    '{"pid": 1, "left_out": ["long"]}'
    """
    left_out: list[str] = []
    while True:
        whole = {**facts, "left_out": left_out} if left_out else facts
        text = json.dumps(whole, default=_text, ensure_ascii=True)  # a byte a character
        if len(text) <= bytes_max or not facts:
            return text
        longest = max(facts, key=lambda key: len(json.dumps(facts[key], default=_text)))
        facts = {key: value for key, value in facts.items() if key != longest}
        left_out.append(longest)


def top_types(blocks_max: int = limits.WATCH_EVIDENCE_BLOCKS_MAX) -> dict[str, object]:
    """Counts and shallow bytes of the types with most bytes among the objects the collector tracks.

    >>> sorted(top_types())
    ['types', 'types_of']
    """
    blocks = sys.getallocatedblocks()
    whole = blocks <= blocks_max
    counts: dict[type, int] = collections.defaultdict(int)
    sizes: dict[type, int] = collections.defaultdict(int)
    for generation in (0, 1, 2) if whole else (0, 1):
        for thing in gc.get_objects(generation):
            kind = type(thing)
            counts[kind] += 1
            sizes[kind] += _shallow_bytes(thing)
    top = sorted(sizes, key=sizes.__getitem__, reverse=True)[:TYPES_MAX]
    return {
        "types": [
            {"type": _cut(f"{kind.__module__}.{kind.__qualname__}"), "count": counts[kind], "bytes": sizes[kind]}
            for kind in top
        ],
        "types_of": "all objects the collector tracks"
        if whole
        else f"the two young generations only: {blocks} allocated blocks are too many to list all",
    }


def stacks() -> list[dict[str, object]]:
    """Where each thread is, innermost call first."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    found: list[dict[str, object]] = []
    for ident, frame in list(sys._current_frames().items())[:THREADS_MAX]:  # noqa: SLF001 - documented for debuggers
        found.append({"thread": _cut(names.get(ident, str(ident))), "stack": _stack(frame)})
    return found


def holders(pairs: Iterable[tuple[str, int]]) -> list[dict[str, object]]:
    """`(name, bytes)` pairs for JSON, largest first."""
    ranked = sorted(pairs, key=lambda pair: -pair[1])[:HOLDERS_MAX]
    return [{"name": _cut(name), "bytes": count} for name, count in ranked]


def columns(points: Sequence[Point]) -> dict[str, list[float]]:
    """The history in columns, newest kept in full, cut to `POINTS_MAX` by leaving out points evenly."""
    stride = -(-len(points) // POINTS_MAX) or 1
    kept = points[::-stride][::-1]
    return {
        "t_s": [round(point.t_s, 3) for point in kept],
        "rss": [point.rss_max for point in kept],
        "anon": [point.anon_max for point in kept],
    }


def _stack(frame: FrameType | None) -> list[str]:
    lines: list[str] = []
    while frame is not None and len(lines) < FRAMES_MAX:
        code = frame.f_code
        lines.append(_cut(f"{code.co_filename}:{frame.f_lineno} {code.co_qualname}"))
        frame = frame.f_back
    return lines


def _shallow_bytes(thing: object) -> int:
    try:
        return sys.getsizeof(thing, 0)
    except Exception:  # noqa: BLE001 - a foreign __sizeof__ may do anything; it must not end the evidence
        return 0


def _cut(text: str) -> str:
    # The end of a path or a qualified name is what tells it.
    return text if len(text) <= NAME_CHARS_MAX else "..." + text[3 - NAME_CHARS_MAX :]


def _text(value: object) -> str:
    return str(value)[:TEXT_CHARS_MAX]
