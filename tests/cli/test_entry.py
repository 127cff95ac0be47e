"""cli.entry: Ctrl-C is never a traceback, however early or late it comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

# Runs in every Python that starts with its folder on PYTHONPATH: presses Ctrl-C when this module is about to be imported.
PRESSING = """import os, signal, sys
class Presses:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == os.environ['PRESS_AT'] and 'flatwater' in sys.modules:
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1000):
                pass
sys.meta_path.insert(0, Presses)
"""


def press(tmp_path, at, *words, **options):
    (tmp_path / "sitecustomize.py").write_text(PRESSING)
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "PRESS_AT": at}
    command = [sys.executable, "-m", "flatwater", *words]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False, **options)


@pytest.mark.parametrize("words", [["run", "--", "true"], ["--help"]])
@pytest.mark.parametrize(
    "module", ["flatwater.cli.main", "click", "flatwater.errors", "flatwater.cli.run", "flatwater.watch.supervise"]
)
def test_ctrl_c_while_importing(tmp_path, module, words):
    """It ends with 130 and not a word, whatever was being imported; what is not imported is not interrupted."""
    done = press(tmp_path, module, *words)
    imported = words[0] == "run" or module in {"flatwater.cli.main", "click", "flatwater.errors"}
    assert (done.returncode, done.stderr) == (130 if imported else 0, "")
    assert bool(done.stdout) is not imported


def test_one_that_is_ignored_stays_so(tmp_path):
    """What was started to ignore Ctrl-C, as a background job of a script is, goes on."""
    done = press(
        tmp_path, "click", "run", "-q", "--", "sh", "-c", "exit 5", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (5, "")


@pytest.mark.parametrize(("where", "code"), [("before", 130), ("in", 130), ("after", 6)])
def test_before_during_and_after_the_work(where, code):
    """An interrupt in the command's own work is its KeyboardInterrupt; after it the exit code is what the work gave."""
    work = "from flatwater.cli.entry import entry, hear_interrupts\nimport flatwater.cli.main as m\n"
    work += "import atexit, os, signal, sys\ndef press(): os.kill(os.getpid(), signal.SIGINT)\n"
    if where == "before":
        work += "def main(): press()\n"
    elif where == "in":
        work += "def main():\n    hear_interrupts()\n    try: press()\n    except KeyboardInterrupt: sys.exit(130)\n"
    else:
        work += "atexit.register(press)\ndef main():\n    hear_interrupts()\n    sys.exit(6)\n"
    done = subprocess.run(
        [sys.executable, "-c", work + "m.main = main\nentry()\n"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, "")


def test_the_console_script_begins_here():
    """The installed command is this entry, which imports nothing large before it listens."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["scripts"] == {"flatwater": "flatwater.cli.entry:entry"}
    code = "import sys; known = set(sys.modules); import flatwater.cli.entry; print(*sorted(set(sys.modules) - known))"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")})  # fmt: skip
    assert {name for name in done.stdout.split() if "flatwater" in name} == {
        "flatwater", "flatwater.cli", "flatwater.cli.entry", "flatwater.lazy",
    }  # fmt: skip
    assert "click" not in done.stdout.split()
