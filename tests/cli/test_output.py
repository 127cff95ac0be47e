"""cli.output: where what a command made goes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from flatwater.cli.output import deliver


def test_a_file_and_standard_output(tmp_path, capsys):
    """A name is a file, whole; a dash is standard output, and nothing else is written there."""
    path = tmp_path / "report.json"
    assert deliver(str(path), "ü\n") is True
    assert path.read_text("utf-8") == "ü\n"
    assert deliver("-", "{}\n") is True
    assert capsys.readouterr() == ("{}\n", "")


@pytest.mark.parametrize("path", ["/dev/full", "/no/such/folder/report.json"])
def test_what_cannot_be_written_is_said(path, capsys):
    """False, and a sentence with the name and the reason."""
    assert deliver(path, "text") is False
    said = capsys.readouterr().err
    assert said.startswith(f"flatwater: {path!r} could not be written: no s")


@pytest.mark.parametrize(
    ("stream", "answer", "says"), [("full", "False", "no space left on device"), ("gone", "True", "")]
)
def test_standard_output_that_fails(stream, answer, says):
    """On a full disk it is said and counts as a failure; a reader that has gone has seen enough."""
    script = "import sys; from flatwater.cli.output import deliver; print(deliver('-', 'x' * 100_000), file=sys.stderr)"
    read, write = os.pipe()
    os.close(read)
    target = os.open("/dev/full", os.O_WRONLY) if stream == "full" else write
    done = subprocess.run([sys.executable, "-c", script], stdout=target, stderr=subprocess.PIPE, text=True, check=False)
    for descriptor in {write, target}:
        os.close(descriptor)
    assert done.stderr.splitlines()[-1] == answer
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
