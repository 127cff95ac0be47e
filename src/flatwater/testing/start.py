"""Start pytest for one point of a marked test, as it was started for the session. Run as a script.

Covers:     the search path, the environment, the directory and the arguments of the session's own start.
Not here:   which arguments those are (`testing.session`), what pytest does then (`testing.child`).
Holds:      nothing.

It imports nothing of Flatwater: pytest would warn that it cannot rewrite what is imported before it. What tests of the
session have done to their process, to `os.environ` for instance, does not reach the point.
"""

from __future__ import annotations

import os
import pickle
import sys

POINT_VARIABLE = "FLATWATER_POINT"  # the folder to talk through, for `testing.child`
FOLDER_PLACE = "<folder>"  # where the folder's name goes in our own arguments


def main(folder: str) -> None:
    """Run pytest; it ends the process."""
    import runpy

    with open(os.path.join(folder, "request"), "rb") as file:
        request = pickle.load(file)  # noqa: S301 - the session's own
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    os.environ[POINT_VARIABLE] = folder
    sys.path[:] = request["path"]
    ours = [word.replace(FOLDER_PLACE, folder) for word in request["ours"]]
    sys.argv = ["pytest", *request["typed"], *ours, *request["paths"]]
    runpy.run_module("pytest", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
