"""What a recorded run allocated, by lines of code, to put findings in order by.

Covers:     the JSON of `flatwater run` and the profile beside it (speedscope's format); finding a file that was run elsewhere.
Not here:   recording (`meter.profile`, `watch.supervise`), the words (`cli.reports.lint_text`).
Holds:      bytes of the lines that allocated most, up to their bound.

A line's bytes are those of all allocations that were made while it ran, in it or in what it called, and were held at the
peak. A line's own bytes are those for which it is the innermost line that is no library's.
"""

from __future__ import annotations

import heapq
import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

from flatwater import errors, limits
from flatwater.lint.finding import Finding

LIBRARIES = ("/site-packages/", "/dist-packages/", "/lib/python3", "<frozen", "<string", "<stdin")
ABOVE = re.compile(r"^(?:\.\./)+")
Line = tuple[str, int]


@final
@dataclass(slots=True)
class Hot:
    """A line that allocated much and has no finding."""

    path: str
    line: int
    function: str
    own_bytes: int


@final
@dataclass(slots=True)
class Allocated:
    """What lines allocated.

    Attributes:
        source: where it was read from.
        kind: what its bytes are, in words.
        total_bytes: of all lines together.
        by_line: bytes of a line and of what it called.
        own: bytes of a line that were allocated in no other line of the program's own.
        functions: of each of those lines.
    """

    source: str
    kind: str
    total_bytes: int = 0
    by_line: Counter[Line] = field(default_factory=Counter)
    own: Counter[Line] = field(default_factory=Counter)
    functions: dict[Line, str] = field(default_factory=dict)
    _files: dict[str, str] = field(default_factory=dict)  # as it was recorded, and as it is called here
    _covered: set[Line] = field(default_factory=set)
    _lines: dict[str, dict[int, int]] = field(default_factory=dict)

    def of(self, finding: Finding) -> int:
        """The bytes that were allocated at the lines of a finding."""
        lines = self._lines_of(finding.path)
        if not lines or finding.cell:
            return 0
        file = self._recorded(finding.path)
        found = 0
        last = max(finding.end_line, finding.body_end)
        for line in range(finding.line, last + 1) if last - finding.line < len(lines) else lines:
            if finding.line <= line <= last and line in lines:
                found += lines[line]
                self._covered.add((file, line))
        return min(found, self.total_bytes)

    def hot(self, least_bytes: int) -> list[Hot]:
        """The lines of the program's own that allocated most and that no finding covers, the largest first."""
        rest = ((count, line) for line, count in self.own.items() if line not in self._covered and count >= least_bytes)
        largest = heapq.nlargest(limits.LINT_HOT_LINES_SHOWN, rest)
        return [Hot(file, line, self.functions.get((file, line), ""), count) for count, (file, line) in largest]

    def add(self, stack: Sequence[tuple[str, int, str]], size: int) -> None:
        """An allocation; the stack's frames are file, line and function, the outermost first."""
        self.total_bytes += size
        for line in {(file, line) for file, line, _function in stack}:
            self.by_line[line] += size
        for file, number, function in reversed(stack):
            if number > 0 and not any(each in file for each in LIBRARIES):
                self.own[file, number] += size
                self.functions[file, number] = function
                break

    def close(self) -> None:
        """Forget all but the largest, once all is added."""
        if len(self.by_line) > limits.LINT_PROFILE_LINES_MAX:
            self.by_line = Counter(dict(self.by_line.most_common(limits.LINT_PROFILE_LINES_MAX)))
            self.own = Counter(dict(self.own.most_common(limits.LINT_PROFILE_LINES_MAX)))
            self.functions = {line: name for line, name in self.functions.items() if line in self.own}
        for (file, line), count in self.by_line.items():
            self._lines.setdefault(file, {})[line] = count

    def _lines_of(self, path: str) -> dict[int, int]:
        return self._lines.get(self._recorded(path), {})

    def _recorded(self, path: str) -> str:
        """What a file was called when it ran: by its real name, or by its end where that was another machine."""
        if path not in self._files:
            if len(self._files) > limits.LINT_RANKED_MAX:
                self._files.clear()
            real = os.path.realpath(path)
            tail = "/" + ABOVE.sub("", os.path.relpath(real).replace(os.sep, "/"))
            elsewhere = (file for file in self._lines if not os.path.exists(file) and f"/{file}".endswith(tail))
            self._files[path] = next(
                (file for file in self._lines if os.path.realpath(file) == real),
                min(elsewhere, key=len, default=""),  # `/app/job.py` rather than `/app/old/job.py`
            )
        return self._files[path]


def read(path: str) -> Allocated:
    """What a run allocated, from its JSON, or from its profile.

    Raises:
        UsageError: it cannot be read, or is neither.
    """
    found = _json(path)
    if "profiles" in found:
        return _of_profile(found, path)
    if "suspects" not in found:
        raise errors.UsageError(
            f"{path!r} is no record of a run.",
            hint="Write one: flatwater run --profile profile.json --json run.json -- python job.py",
        )
    return _of_run(found, path)


def _of_run(found: dict[str, Any], path: str) -> Allocated:
    profile = found.get("profile_path")
    if isinstance(profile, str) and profile:
        beside = os.path.join(os.path.dirname(os.path.abspath(path)), os.path.basename(profile))
        for each in (profile, beside):
            if os.path.isfile(each):
                return _of_profile(_json(each), each)
    allocated = Allocated(path, "its process grew while the line ran")
    try:
        for suspect in found["suspects"]:
            stack = [_frame(each) for each in reversed(suspect.get("stack", []))]  # there, the innermost is the first
            line = (str(suspect["file"]), int(suspect["line"]), str(suspect.get("function", "")))
            allocated.add(stack if line in stack else [*stack, line], int(suspect["growth_bytes"]))
    except (LookupError, TypeError, ArithmeticError, ValueError, AttributeError) as error:
        raise errors.UsageError(f"{path!r} is no record of a run: {error!r}.") from None
    if not allocated.total_bytes:
        raise errors.UsageError(
            f"{path!r} says nothing about lines.",
            hint="Record a Python program: flatwater run --profile profile.json --json run.json -- python job.py",
        )
    allocated.close()
    return allocated


def _of_profile(found: dict[str, Any], path: str) -> Allocated:
    allocated = Allocated(path, "held at the peak")
    hint = "Write one with flatwater run --profile."
    try:
        frames = [
            (str(each.get("file", "")), int(each.get("line", 0)), str(each.get("name", "")).rpartition(":")[0])
            for each in found["shared"]["frames"]
        ]
        profile = found["profiles"][0]
        is_bytes = (profile["type"], profile["unit"]) == ("sampled", "bytes")
        for sample, weight in zip(profile["samples"], profile["weights"], strict=True):
            allocated.add([frames[number] for number in sample], int(weight))
    except (LookupError, TypeError, ArithmeticError, ValueError, AttributeError) as error:
        raise errors.UsageError(f"{path!r} is no profile of allocations: {error}.", hint=hint) from None
    if not is_bytes:
        raise errors.UsageError(f"{path!r} is a profile of {profile['unit']}, not of bytes.", hint=hint)
    allocated.close()
    return allocated


def _frame(text: str) -> tuple[str, int, str]:
    place, _, function = text.rpartition(" ")
    file, _, line = place.rpartition(":")
    return file, int(line), function


def _json(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            data = file.read(limits.LINT_PROFILE_BYTES_MAX + 1)
    except OSError as error:
        raise errors.UsageError(f"{path!r} cannot be read: {(error.strerror or str(error)).lower()}.") from None
    if len(data) > limits.LINT_PROFILE_BYTES_MAX:
        raise errors.UsageError(f"{path!r} has more than {limits.LINT_PROFILE_BYTES_MAX} bytes.")
    try:
        found: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise errors.UsageError(f"{path!r} is no JSON: {error}.") from None
    if not isinstance(found, dict):
        raise errors.UsageError(f"{path!r} is no record of a run.")
    return found
