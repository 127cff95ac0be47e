"""Which files the naive twins read: all below some folders, in a list.

Covers:     folders, single files, names by their ends.
Not here:   reading them.
Holds:      all names.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flatwater.tour.inputs import Root


def below(roots: Sequence[Root], suffixes: tuple[str, ...] = ()) -> list[str]:
    """Paths of all files, sorted, of those with these suffixes (or of those that a root names).

    >>> from flatwater.tour.inputs import Root
    >>> below([Root(__file__)]) == [__file__]
    True
    """
    found = []
    for root in roots:
        if os.path.isfile(root.path):
            found.append(root.path)
        wanted = suffixes or root.suffixes
        for folder, _below, names in os.walk(root.path):
            paths = [os.path.join(folder, name) for name in names if not wanted or name.endswith(wanted)]
            found += sorted(path for path in paths if os.path.isfile(path) and not os.path.islink(path))
    return found
