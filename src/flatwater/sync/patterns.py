"""Which files a sync takes: patterns as in .gitignore files.

Covers:     included and excluded paths.
Not here:   what becomes of files that are left out (nothing: neither copied nor deleted).
Holds:      the compiled patterns.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from typing import final

from flatwater import errors

_SAID_MAX = 1_000
_BREAK, _NO_BREAK = "\n", "\ue000"  # a name may have a line break, and "." of the compiled patterns is none


@final
class Patterns:
    """Patterns of paths. Thread-safe.

    A pattern without a slash is of a name at any depth; one with a slash is of a path from the root on; one that ends with a
    slash is of all that is below such a folder; `*` is any text within a name, `**` any number of folders, `?` one
    character, `[a-z]` one of several; a `!` in front takes back what an earlier one matched, below a folder that is matched, too.

    `said` tells them from others in a state: they themselves, or a digest where they are long.

    Args:
        include: a file is taken only if one of these matches; empty takes all.
        exclude: a file that one of these matches is left out, whatever `include` says.

    Raises:
        UsageError: one of them is no pattern.
        MissingExtra: the library for them is not there.
    """

    def __init__(self, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> None:
        for name, given in (("include", include), ("exclude", exclude)):
            if not isinstance(given, list | tuple) or not all(isinstance(each, str) for each in given):
                raise errors.UsageError(f"{name}={given!r} is no list of patterns.", hint=f"Write {name}=['*.jpg'].")
        said = "; ".join([*(f"include {each}" for each in include), *(f"exclude {each}" for each in exclude)])
        is_long = len(said) > _SAID_MAX  # a state writes it with each commit
        self.said = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest() if is_long else said
        self.is_empty = not include and not exclude
        if self.is_empty:
            return
        try:
            import pathspec
        except ImportError:
            raise errors.MissingExtra("sync", "pathspec") from None
        try:
            self._include = pathspec.GitIgnoreSpec.from_lines(include) if include else None
            self._exclude = pathspec.GitIgnoreSpec.from_lines(exclude) if exclude else None
        except (ValueError, re.error) as error:
            raise errors.UsageError(f"a pattern is none: {error}.", hint="They are as in .gitignore files.") from None

    def takes(self, path: bytes) -> bool:
        """Whether a file is one of those that are wanted."""
        if self.is_empty:
            return True
        text = os.fsdecode(path).replace(_BREAK, _NO_BREAK)
        if self._include is not None and not self._include.match_file(text):
            return False
        return self._exclude is None or not self._exclude.match_file(text)
