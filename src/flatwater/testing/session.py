"""How this pytest was started, so that a point of a test can be started the same way.

Covers:     search path, environment, directory and arguments of the start; what of them a point must not get.
Not here:   options that are switched off when they are parsed (`testing.child`).
Holds:      a copy of the environment and of `sys.path`, a few KiB.

The arguments are passed on as they were typed, paths too: they decide the root directory, the ini file and the conftest
files. The point then collects its one test's file and nothing else.
"""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

import pytest

from flatwater.testing.start import FOLDER_PLACE, POINT_VARIABLE

CHILD_PLUGIN = "flatwater.testing.child"
_VARIABLES_DROPPED = ("PYTEST_CURRENT_TEST", "PYTEST_VERSION", POINT_VARIABLE)
_PREFIXES_DROPPED = ("PYTEST_XDIST_", "COV_CORE_", "COVERAGE_PROCESS_")  # a point is no worker, and is not covered


class Start(NamedTuple):
    """What a process is given: its search path and its environment."""

    path: list[str]
    environment: dict[str, str]


STARTED = pytest.StashKey[Start]()


def remember(config: pytest.Config) -> None:
    """Keep what the process was started with, before conftest files and tests change it."""
    config.stash[STARTED] = Start(list(sys.path), dict(os.environ))


def request_for(config: pytest.Config) -> dict[str, object]:
    """What `testing.start` needs to start pytest as this one was."""
    started = config.stash.get(STARTED, None) or Start(list(sys.path), dict(os.environ))
    typed = [os.fspath(word) for word in config.invocation_params.args]
    ours = ["-p", CHILD_PLUGIN, "--capture=fd"]
    if config.pluginmanager.hasplugin("cacheprovider"):
        ours += ["-o", f"cache_dir={FOLDER_PLACE}/cache"]
    if hasattr(config.option, "no_cov"):
        ours.append("--no-cov")  # it starts before a plugin could switch it off
    seed = getattr(config.option, "randomly_seed", None)
    if isinstance(seed, int):
        ours.append(f"--randomly-seed={seed}")  # the one that pytest-randomly drew and told
    at = typed.index("--") if "--" in typed else len(typed)
    return {
        "path": started.path,
        "environment": _environment(started.environment),
        "directory": os.fspath(config.invocation_params.dir),
        "typed": typed[:at],
        "ours": ours,
        "paths": typed[at:],
    }


def _environment(started: dict[str, str]) -> dict[str, str]:
    from flatwater.meter.probe import RUN_VARIABLE

    kept = {
        name: value
        for name, value in started.items()
        if name not in _VARIABLES_DROPPED and not name.startswith(_PREFIXES_DROPPED)
    }
    # The high-water mark is the point's: `fw.measure` in a test must not reset it.
    return {**kept, RUN_VARIABLE: "1"}
