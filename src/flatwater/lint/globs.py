"""Patterns of files and folders, as a project writes them in its settings.

Covers:     paths below the project's folder, single names, all that is below a folder; `./`, `**/`, absolute ones.
Not here:   walking (`lint.files`), which patterns there are (`lint.settings`).
Holds:      nothing.
"""

from __future__ import annotations

import fnmatch
import os
import re


def compiled(pattern: str, root: str) -> re.Pattern[str]:
    """A pattern that is matched against paths below `root`, and against single names. `**/` is any folders, or none.

    >>> here = compiled("./src/**/*.py", "/project")
    >>> [bool(here.match(each)) for each in ("src/a.py", "src/in/a.py", "a.py")]
    [True, True, False]
    """
    text = os.path.relpath(pattern, root) if os.path.isabs(pattern) else pattern
    text = text.replace(os.sep, "/").rstrip("/")
    while text.startswith("./"):
        text = text[2:].lstrip("/")
    forms = dict.fromkeys([text, text.replace("**/", "")])
    return re.compile("|".join(fnmatch.translate(each) for each in forms))


def fits(pattern: re.Pattern[str], relative: str) -> bool:
    """Whether it is of this path, or of its name."""
    return bool(pattern.match(relative) or pattern.match(relative.rpartition("/")[2]))


def above(relative: str) -> list[str]:
    """A path and the folders that it is in, the outermost first, as on the way from the project's folder.

    >>> above("src/in/a.py"), above("../a.py")
    (['src', 'src/in', 'src/in/a.py'], ['../a.py'])
    """
    parts = relative.split("/")
    return ["/".join(parts[:count]) for count, part in enumerate(parts, 1) if part != os.pardir]
