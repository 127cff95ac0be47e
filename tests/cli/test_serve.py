"""`flatwater serve`: what it says, how it ends, what it refuses."""

import json
import os
import re
import signal
import subprocess
import sys

import httpx
import pytest
from click.testing import CliRunner

from flatwater.cli.serve import command


@pytest.fixture
def started(tmp_path):
    """Starts the command, and gives its process, its address and its first lines."""
    opened = []

    def start(*options):
        process = subprocess.Popen(
            [sys.executable, "-m", "flatwater", "serve", str(tmp_path / "data"), "--port", "0", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        opened.append(process)
        line = process.stdout.readline()
        return process, re.search(r"http\S+:\d+", line)[0], line

    yield start
    for process in opened:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_life(started, number, code):
    """It says where it is and how to get in, serves, and ends by a signal; what was acknowledged is there at the next start."""
    process, url, line = started("--budget", "256MiB")
    assert "within 256 MiB" in line
    lines = [process.stdout.readline() for _ in range(3)]
    token = re.search(r"#token=(\S+)", lines[1])[1]
    with httpx.Client(base_url=url, trust_env=False) as http:
        answer = http.post("/v1/token", json={"one_time": token}).json()
        headers = {"authorization": f"Bearer {answer['token']}"}
        for text in (
            "CREATE TABLE t (id BIGINT PRIMARY KEY)",
            "INSERT INTO t VALUES (1)",
            "ALTER USER admin PASSWORD 'long enough'",
        ):
            assert http.post("/v1/sql", json={"sql": text}, headers=headers).status_code == 200, text
    process.send_signal(number)
    assert process.wait(20) == code
    again, url, _line = started()
    with httpx.Client(base_url=url, trust_env=False) as http:
        answer = http.post("/v1/token", json={"user": "admin", "password": "long enough"}).json()
        headers = {"authorization": f"Bearer {answer['token']}"}
        assert http.post("/v1/sql", json={"sql": "SELECT * FROM t"}, headers=headers).json()["rows"] == [{"id": 1}]
    again.send_signal(signal.SIGINT)
    out, _err = again.communicate(timeout=20)
    assert "token=" not in out  # somebody has a password


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "name a directory"),
        (["x", "--tls-cert", "a.pem"], "go together"),
        (["x", "--smoke"], "leave PATH away"),
        (["x", "--port", "x"], "not a valid integer"),
        (["x", "--budget", "1KiB"], "1KiB"),
    ],
)
def test_wrong_use(arguments, why, tmp_path):
    """Is refused with what to do."""
    with CliRunner().isolated_filesystem(tmp_path):
        found = CliRunner().invoke(command, arguments)
    assert found.exit_code == 2
    assert why in found.output


def test_smoke():
    """Everything is tried, a line each, and the exit code says whether all works."""
    found = CliRunner().invoke(command, ["--smoke"])
    assert found.exit_code == 0, found.output
    assert found.output.count("ok  ") == 10
    assert found.output.endswith("everything works\n")


def test_a_port_that_is_taken(started, tmp_path):
    """Ends with 4, and says so."""
    _process, url, _line = started()
    done = subprocess.run(
        [sys.executable, "-m", "flatwater", "serve", str(tmp_path / "other"), "--port", url.rsplit(":", 1)[1]],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert "Take another port" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.dumps(os.listdir(tmp_path))


def test_what_others_can_read(started):
    """Who serves to others without TLS is told on stderr; on loopback nothing is said there."""
    for options, is_told in ((("--host", "0.0.0.0"), True), ((), False)):
        process, _url, _line = started(*options)
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=20)
        assert ("can read passwords and tokens" in err) == is_told, err


@pytest.mark.parametrize(
    "options",
    [("--origin", "nonsense"), ("--origin", "https://a.example/path"), ("--proxy", "nonsense"), ("--host-name", "a b")],
)
def test_callers_that_never_match(options, tmp_path):
    """An origin, a proxy or a name that no request has is refused at the start, with the form that was meant."""
    arguments = [sys.executable, "-m", "flatwater", "serve", str(tmp_path / "data"), "--port", "0", *options]
    found = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 2
    assert "never matches" in found.stderr
    assert "such as" in found.stderr or "no path" in found.stderr


def test_the_help_says_how_it_ends():
    """The exit codes of the signals that end it stand there."""
    told = " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    assert "Exit code 130: it was ended by Ctrl-C; 143: by SIGTERM. 0: --smoke" in told
