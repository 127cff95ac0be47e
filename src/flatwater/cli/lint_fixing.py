"""`flatwater lint --fix` and `--diff`: files rewritten where behaviour cannot change, or shown as they would be.

Covers:     each file in its turn; what is said of it; files that cannot be written.
Not here:   which fixes there are (`lint.fixes`), the findings that are left (`cli.lint`).
Holds:      one file.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import final

from flatwater import errors
from flatwater.cli import main
from flatwater.cli.reports.run_text import plain
from flatwater.lint import files, writing
from flatwater.lint.finding import Finding
from flatwater.lint.fixing import Fixed, Fixer
from flatwater.lint.linter import Linter


@final
class Fixing:
    """Goes through files once, fixes them, and gives the findings that are left.

    Args:
        linter: looks at files.
        paths: what the user named.
        shows: whether the changes are printed, and nothing is written.

    Attributes:
        changed: files that were fixed, or would be.
        failed: files that could not be written.
    """

    def __init__(self, linter: Linter, paths: Sequence[str], *, shows: bool) -> None:
        self._linter, self._paths, self._shows = linter, paths, shows
        self._fixer = Fixer(linter)
        self.changed = self.failed = 0
        self._fixed = 0
        self._left = 0
        self._is_done = False
        self._shown: set[tuple[int, int]] = set()  # files whose change was printed, under whichever of their names

    def look(self) -> Iterator[Finding]:
        """The findings that are left, file by file."""
        settings = self._linter.settings
        walk = files.Walk(self._paths, settings.exclude, root=settings.root, tests=settings.include_tests)
        for path in walk:
            if walk.why:
                untold = self._linter.not_looked_at(path, walk.why)
                self._left += len(untold)
                yield from untold
                continue
            made = self._fixer.file(path)
            if made.why:
                main.say(f"{plain(path)}: {made.why}.")
            left = self._taken(made) if made.is_changed else made.left
            self._left += len(left)
            yield from left
        self._linter.tests_left_out, self._linter.excluded = walk.tests_left_out, walk.excluded
        self._is_done = True

    def end(self) -> None:
        """Say what was done.

        Raises:
            BrokenError: a file could not be written.
        """
        if not self._is_done:  # something else went wrong, and is said
            return
        main.say(summary(fixed=self._fixed, changed=self.changed, left=self._left, shows=self._shows))
        if self.failed and not self._shows:
            count = f"{self.failed:,} file{'s' * (self.failed != 1)}"
            raise errors.BrokenError(
                f"{count} could not be written, and {'is' if self.failed == 1 else 'are'} as before."
            )

    def _taken(self, made: Fixed) -> list[Finding]:
        codes = Counter(each.code for each in made.fixed)
        try:
            if self._shows:
                real, status = writing.check(made.path, self._paths)
                if (status.st_dev, status.st_ino) in self._shown:
                    return made.left  # a link to it, or what a link led to
                self._shown.add((status.st_dev, status.st_ino))
                _print(replace(made, path=os.path.relpath(real)) if os.path.islink(made.path) else made)
            else:
                self._fixer.write(made, self._paths)
        except writing.Unwritable as error:
            main.say(f"flatwater: {plain(str(error))}")
            self.failed += 1
            return self._linter.again(made.before, made.path)
        if not self._shows:
            words = ", ".join(f"{count} of {code}" for code, count in sorted(codes.items()))
            main.say(f"fixed {plain(made.path)}: {words}")
        self.changed += 1
        self._fixed += codes.total()
        return made.left


def summary(*, fixed: int, changed: int, left: int, shows: bool) -> str:
    """The last line.

    >>> summary(fixed=3, changed=1, left=2, shows=False)
    'fixed 3 findings in 1 file; 2 are left, which need a decision.'
    >>> summary(fixed=0, changed=0, left=0, shows=True)
    'nothing would be fixed; nothing is left.'
    """
    would = "would be fixed" if shows else "was fixed"
    if fixed:
        files_words = f"{fixed:,} finding{'s' * (fixed != 1)} in {changed:,} file{'s' * (changed != 1)}"
        words = f"{files_words} would be fixed" if shows else f"fixed {files_words}"
    else:
        words = f"nothing {would}"
    if not left:
        return f"{words}; nothing is left."
    return f"{words}; {left:,} {'is' if left == 1 else 'are'} left, which need{'s' * (left == 1)} a decision."


def _print(made: Fixed) -> None:
    """The diff: to a terminal without what it would obey, to anything else byte for byte, for `patch`."""
    sys.stdout.flush()
    is_terminal = sys.stdout.isatty()
    for line in made.diff():
        shown = plain(line.decode("utf-8", "replace").rstrip("\r\n")).encode("utf-8", "replace") + b"\n"
        sys.stdout.buffer.write(shown if is_terminal else line)
    sys.stdout.buffer.flush()


def show(linter: Linter, paths: Sequence[str]) -> int:
    """Print what would be changed; the exit code."""
    fixing = Fixing(linter, paths, shows=True)
    for _finding in fixing.look():
        pass  # a diff is all that is printed
    fixing.end()
    return main.DOES_NOT_HOLD if fixing.changed else main.HOLDS


def check(*, fix: bool, show: bool, inputs: Mapping[str, object], reports: Mapping[str, object]) -> None:
    """Raises UsageError where --fix or --diff stands beside what does not go with it: with --diff, nothing is reported."""
    if fix and show:
        raise errors.UsageError("--diff changes nothing, and --fix does.", hint="Leave one of them out.")
    beside = {**inputs, **reports} if show else inputs if fix else {}
    for name, value in beside.items():
        if value:
            raise errors.UsageError(
                f"{'--fix' if fix else '--diff'} and {name} do not go together.", hint="Leave one of them out."
            )
