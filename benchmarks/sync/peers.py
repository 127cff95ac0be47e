"""The commands that the cases of this folder compare, and what each of them is told of the servers: by variables, all alike.

A command's output is thrown away; what it says on standard error is shown if it fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.case import Run
from benchmarks.outcome import Outcome
from benchmarks.sync import servers, trees

FLATWATER = (sys.executable, "-m", "flatwater", "sync")
BUCKET = f"s3://{trees.BUCKET}"
TRANSFERS = 8


def use_s3(port: int, home: str) -> None:
    """Tell everybody of a server."""
    config = Path(home) / "aws.ini"
    config.write_text(f"[default]\ns3 =\n  max_concurrent_requests = {TRANSFERS}\n")
    endpoint = f"http://{servers.HOST}:{port}"
    os.environ |= {
        "AWS_ACCESS_KEY_ID": servers.KEY, "AWS_SECRET_ACCESS_KEY": servers.SECRET, "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": endpoint, "S3_ENDPOINT_URL": endpoint,
        "AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
        "RCLONE_CONFIG": "/dev/null", "RCLONE_CONFIG_FAR_TYPE": "s3", "RCLONE_CONFIG_FAR_PROVIDER": "Rclone",
        "RCLONE_CONFIG_FAR_ENV_AUTH": "true", "RCLONE_CONFIG_FAR_ENDPOINT": endpoint,
    }  # fmt: skip


def use_ftp(port: int) -> None:
    """Tell rclone of a server; Flatwater is told by the URL."""
    hidden = subprocess.run(
        [servers.program("rclone"), "obscure", servers.PASSWORD], check=True, capture_output=True, text=True
    ) if servers.program("rclone") else None  # fmt: skip
    os.environ |= {
        "RCLONE_CONFIG": "/dev/null", "RCLONE_CONFIG_FTP_TYPE": "ftp", "RCLONE_CONFIG_FTP_HOST": servers.HOST,
        "RCLONE_CONFIG_FTP_PORT": str(port), "RCLONE_CONFIG_FTP_USER": servers.USER,
        "RCLONE_CONFIG_FTP_PASS": hidden.stdout.strip() if hidden else "",
    }  # fmt: skip


def ftp_url(port: int) -> str:
    """For Flatwater."""
    return f"ftp://{servers.USER}:{servers.PASSWORD}@{servers.HOST}:{port}"


def flatwater(*words: str) -> list[str]:
    """`flatwater sync` with these words, and nothing printed."""
    return [*FLATWATER, *words, "--quiet"]


def rclone(*words: str) -> list[str]:
    return [servers.program("rclone"), *words]


def s5cmd(*words: str) -> list[str]:
    return [servers.program("s5cmd"), "--log", "error", "--numworkers", str(TRANSFERS), *words]


def aws(*words: str) -> list[str]:
    return [servers.program("aws"), "s3", *words, "--only-show-errors"]


def once(argv: list[str], check: Callable[[], None] = lambda: None) -> Run:
    """Run a command, wait for it, and then look at what it did."""

    def run() -> None:
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        check()

    return run


def adopt(source: str, destination: str, state: str, size: int) -> None:
    """A run that finds all files at the destination, and so makes a state without copying any."""
    import json

    report = f"{state}.jsonl"
    argv = flatwater("apply", source, destination, "--state", state, "--compare", "size", "--check-destination")
    subprocess.run([*argv, "--durability", "off", "--json", report], check=True)
    with open(report, encoding="utf-8") as file:
        last = json.loads(file.readlines()[-1])
    os.unlink(report)
    assert (last["files"], last["adopted"], last["copied"]) == (size, size, 0), last


def share(name: str, of: str) -> Callable[[Outcome], float]:
    """The part of another's CPU that one takes."""
    return partial(_share, name, of)


def _share(name: str, of: str, outcome: Outcome) -> float:
    return outcome.ratio(name, of)
