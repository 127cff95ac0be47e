"""The server and `ws`, the client of most programs in Node: another make than ours, and than the library's that shakes hands."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from flatwater import limits

WS = "/usr/share/nodejs/ws"


@pytest.fixture
def ws(server):
    """Runs a scenario, and returns what it tells."""
    node = shutil.which("node")
    if node is None or not Path(WS, "package.json").is_file():
        pytest.skip("NO WS FOR NODE: no client of another make than ours is run (install nodejs, node-ws)")

    def run(name):
        program = str(Path(__file__).parent / "ws_client.cjs")
        command = [node, program, WS, server.url, server.token("ada"), name]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_changes(ws):
    """It authenticates, follows a query and hears its changes; compression that it offers is not taken."""
    told = ws("changes")
    assert told["extensions"] == ""
    assert told["begun"] == ["subscribed", "snapshot", "ready"]
    assert [(each["op"], each["row"], each.get("old")) for each in told["changes"]] == [
        ("insert", {"id": 2, "body": "grün"}, None),
        ("update", {"id": 1, "body": "b"}, {"id": 1, "body": "a"}),
        ("delete", {"id": 2, "body": "grün"}, None),
    ]
    assert told["end"] == {"closed": 1000, "reason": ""}


def test_pings(ws):
    """Each of its pings is answered with its bytes, in order; a pong nobody asked for does no harm."""
    assert ws("pings") == [{"pong": ""}, {"pong": "abc"}, {"pong": "x" * 125}, {"type": "pong"}]


def test_silence(ws, monkeypatch):
    """It answers the server's pings by itself, and so stays for longer than silence may last."""
    monkeypatch.setattr(limits, "SERVE_SILENCE_S", 1.5)
    assert ws("silence") == [{"ping": ""}] * 2


def test_closing(ws):
    """It hears the code that it closed with."""
    assert ws("closing") == [1000, 1000, 1001, 3000, 4999]


def test_refusals(ws):
    """It hears why it was refused, also while it sends what is refused, and nothing else."""
    assert ws("refusals") == [[1003], [1007], [1002], [1002], [4400], [1009], [4401]]


def test_fragments(ws):
    """A message in fragments of a byte, with pings between them, is one message."""
    heard = ws("fragments")
    pings = [each for each in heard if each.isdigit()]
    assert pings == [str(20 * at) for at in range(len(pings))]
    assert heard[len(pings) :] == ["größe", "ready"]


def test_large_messages(ws):
    """A message of 500 KB from it and one of 200 KB to it arrive whole."""
    assert ws("large") == {"answer": "pong", "size": 100_000, "right": True}


def test_handshakes(ws):
    """Pages and names from elsewhere, another version and another path are refused with their statuses."""
    told = ws("handshakes")
    assert [each["status"] for each in told] == [403, 421, 426, 404]
    assert told[2]["version"] == "13"
