"""Collect who allocated the peak of a Python program, as a profile that speedscope or a browser opens.

Covers:     a command's environment, turning recordings into one file, choosing the largest of several processes.
Not here:   recording (`meter/hook/flatwater_profile_child.py`), the cheap lines of every run (`meter.suspects`).
Holds:      nothing; recordings are files in a directory of their own until `close`.

The format is speedscope's (https://www.speedscope.app/file-format-schema.json), kind "sampled", unit bytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import final

from flatwater import errors, limits
from flatwater.meter.scratch import Scratch

_CHILD = Path(__file__).with_name("hook") / "flatwater_profile_child.py"


@final
class Profile:
    """Recordings of one command's Python processes. Not thread-safe."""

    def __init__(self) -> None:
        self._scratch = Scratch("flatwater-profile-")
        self.directory = self._scratch.path  # empty if there is no place for recordings

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """`environ` with what makes Python programs record; the path to the hook is `Suspects.environment`'s."""
        return {**environ, "FLATWATER_PROFILE": self.directory} if self.directory else dict(environ)

    def collect(self, path: str) -> str:
        """Write the profile of the process that held most to `path`; returns what to tell about it.

        Raises:
            BrokenError: `path` cannot be written.
        """
        if not self.directory:
            return f"no profile was written: {self._scratch.trouble}"
        reasons = self._convert()
        profiles = sorted(Path(self.directory).glob("profile-*.json"), key=_peak_bytes)
        if not profiles and reasons:
            return f"no profile was written: {reasons[0]}"
        if not profiles:
            return "no profile was written: no Python that reads PYTHONPATH ran, or it was killed before it held a MiB"
        try:
            shutil.copyfile(profiles[-1], path)
        except OSError as error:
            raise errors.BrokenError(f"{path!r} could not be written: {error}.") from error
        others = f", the largest of {len(profiles)} Python processes" if len(profiles) > 1 else ""
        return f"{path}{others}: open it in speedscope"

    def close(self) -> None:
        """Remove the recordings."""
        self._scratch.close()

    def _convert(self) -> list[str]:
        """Recordings of memray are read by the Python that made them: it has the right memray. Returns what failed."""
        reasons = []
        environ = {key: value for key, value in os.environ.items() if not key.startswith("FLATWATER_")}
        for recording in Path(self.directory).glob("profile-*.memray"):
            try:
                interpreter, _, program = recording.with_suffix(".python").read_text("utf-8").partition("\n")
                command = [interpreter, str(_CHILD), str(recording), str(recording.with_suffix(".json")), program]
                done = subprocess.run(  # noqa: S603 - the interpreter that the user's own command ran
                    command, env=environ, capture_output=True, text=True, timeout=limits.PROFILE_CONVERT_S, check=False
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                reasons.append(f"memray's recording could not be read: {error}")
                continue
            if done.returncode:
                last = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
                reasons.append(f"memray's recording could not be read: {last[-300:]}")
        return reasons


def _peak_bytes(path: Path) -> int:
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
        return int(json.loads(path.read_text("utf-8"))["profiles"][0]["endValue"])
    return 0
