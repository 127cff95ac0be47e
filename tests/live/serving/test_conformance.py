"""RFC 6455, section by section: a table of our own, and the cases of Autobahn's test suite where it can be had.

Both speak to a server that is the real one up to the messages: these it sends back instead of reading them.
"""

import json
import os
import shutil
import socket
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from flatwater import limits
from flatwater.live.serving import server as serving
from flatwater.live.serving.connection import Connection
from flatwater.live.serving.frames import text_frame
from flatwater.units import MIB

TREE = Path(__file__).parents[3]
CACHE = TREE / ".cache"
SUITE = "autobahntestsuite==25.10.1"  # for Python 2.7 alone, whatever its index says
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
NORMAL = b"\x03\xe8"


class Echo(Connection):
    """A connection that sends back what it is told, and asks nobody who he is."""

    __slots__ = ()

    def _take_text(self, data):
        self.write(text_frame(data))

    def look(self, now, wall):
        if self._is_closing:
            super().look(now, wall)


@pytest.fixture
def server(database, monkeypatch):
    monkeypatch.setattr(serving, "Connection", Echo)
    monkeypatch.setattr(limits, "SERVE_AUTH_BYTES", limits.SERVE_MESSAGE_BYTES)  # nobody says who he is here
    monkeypatch.setattr(limits, "SERVE_CLOSE_S", 1_000)  # a connection that ends does so by itself
    with database.serve(port=0) as made:
        yield made


def split(payload, size, opcode=TEXT):
    """Frames of a message in fragments of a size."""
    parts = [payload[at : at + size] for at in range(0, len(payload), size)]
    return [(0 if at else opcode, part, {"fin": at == len(parts) - 1}) for at, part in enumerate(parts)]


def texts(*payloads):
    return [(TEXT, payload) for payload in payloads]


def closing(code, reason=b""):
    return [(CLOSE, code.to_bytes(2, "big") + reason)]


HELLO = texts(b"hello")
VALID = [
    "", "\x00", "κόσμε", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff", "\U00010000",
    "\U0001fffe", "\U0010ffff", "Hello-µ@ßöäüàá-UTF-8!!",
]  # fmt: skip
INVALID = [
    b"\x80", b"\xbf", b"a\x80b", b"\xc0", b"\xc0\xaf", b"\xc1\xbf", b"\xce", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xe2\x82", b"\xed\xa0\x80",
    b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80", b"\xf0\x80\x80\xaf", b"\xf0\x8f\xbf\xbf", b"\xf0\x90\x80", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80",
    b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xfe", b"\xff", b"\xff\xfe", "κόσμε".encode() + b"\xed\xa0\x80edited",
]  # fmt: skip
GOOD_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
BAD_CODES = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]

# of each section: frames that are sent, those that come back, and the code with which the server closes; None: it is open still
SECTIONS = {
    "5.1 masks": [([*HELLO, (opcode, b"x", {"mask": None})], HELLO, 1002) for opcode in (TEXT, CLOSE, PING, PONG)],
    "5.2 lengths": [
        ([(TEXT, b"*" * size)], [(TEXT, b"*" * size)], None) for size in (0, 1, 125, 126, 127, 128, 65_535, 65_536, 100_000)
    ],
    "5.2 reserved bits": [
        ([*HELLO, (opcode, b"x", {"reserved": bits << 4})], HELLO, 1002)
        for bits in range(1, 8)
        for opcode in (TEXT, CLOSE, PING, PONG)
    ],
    "5.2 opcodes": [
        ([*HELLO, (opcode, payload), (PING, b"")], HELLO, 1002)
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
        for payload in (b"", b"Hello, world!")
    ],
    "5.4 fragments": [
        (split(b"0123456789", 5), texts(b"0123456789"), None),
        (split(b"0123456789", 1), texts(b"0123456789"), None),
        (split(b"*" * 65_536, 1_300), texts(b"*" * 65_536), None),
        ([(TEXT, b"", {"fin": False}), (0, b"", {"fin": False}), (0, b"")], texts(b""), None),
        ([(TEXT, b"", {"fin": False}), (0, b"a", {"fin": False}), (0, b"")], texts(b"a"), None),
        ([(TEXT, b"a", {"fin": False}), (PING, b"p"), (PING, b"q"), (0, b"b")], [(PONG, b"p"), (PONG, b"q"), (TEXT, b"ab")], None),
        (split(b"ab", 1) + split(b"cd", 1), texts(b"ab", b"cd"), None),
        ([(0, b"a")], [], 1002),
        ([(0, b"a", {"fin": False}), *HELLO], [], 1002),
        ([*HELLO, (0, b"a")], HELLO, 1002),
        ([*split(b"ab", 1), (0, b"c")], texts(b"ab"), 1002),
        ([(TEXT, b"a", {"fin": False}), (TEXT, b"b")], [], 1002),
        ([(TEXT, b"a", {"fin": False}), (TEXT, b"b", {"fin": False}), (0, b"c")], [], 1002),
    ],
    "5.5 control frames": [
        ([(opcode, b"x", {"fin": False}), (0, b"y")], [], 1002) for opcode in (CLOSE, PING, PONG)
    ] + [([(opcode, b"\x03\xe8" + b"x" * 124)], [], 1002) for opcode in (CLOSE, PING, PONG)],
    "5.5.1 closing": [
        ([(CLOSE, b"")], [], 1000),
        ([(CLOSE, b""), *HELLO], [], 1000),
        ([(CLOSE, NORMAL), (PING, b"")], [], 1000),
        ([(CLOSE, NORMAL), (CLOSE, NORMAL)], [], 1000),
        ([(TEXT, b"a", {"fin": False}), (CLOSE, NORMAL), (0, b"b")], [], 1000),
        (closing(1000, b"x" * 123), [], 1000),
        (closing(1000, "ü".encode() * 61), [], 1000),
        ([(CLOSE, b"\x03")], [], 1002),
        (closing(1000, b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80"), [], 1007),
    ],
    "5.5.2 pings": [
        ([(PING, b"")], [(PONG, b"")], None),
        ([(PING, b"Hello")], [(PONG, b"Hello")], None),
        ([(PING, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff")], [(PONG, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff")], None),
        ([(PING, b"\xfe" * 125)], [(PONG, b"\xfe" * 125)], None),
        ([(PING, b"%d" % at) for at in range(10)], [(PONG, b"%d" % at) for at in range(10)], None),
    ],
    "5.5.3 pongs": [
        ([(PONG, b"")], [], None),
        ([(PONG, b"unasked"), (PING, b"p")], [(PONG, b"p")], None),
    ],
    "5.6 binary data": [([*HELLO, (BINARY, b"*" * size)], HELLO, 1003) for size in (0, 1, 126, 65_536)],
    "7.4 codes": [(closing(code), [], code) for code in GOOD_CODES] + [(closing(code), [], 1002) for code in BAD_CODES],
    "8.1 texts": [
        *[([(TEXT, text.encode())], [(TEXT, text.encode())], None) for text in VALID],
        *[(split(text.encode(), 1), [(TEXT, text.encode())], None) for text in VALID if text],
        *[([*HELLO, (TEXT, text)], HELLO, 1007) for text in INVALID],
        *[(HELLO + split(text, 1), HELLO, 1007) for text in INVALID],
    ],
}  # fmt: skip


def heard(client):
    """The frames that come until the server ends the connection."""
    while True:
        try:
            yield client.frame()
        except ConnectionError:
            return


@pytest.mark.parametrize("step", [None, 7, 1])
@pytest.mark.parametrize("section", SECTIONS)
def test_sections(raw, section, step):
    """What RFC 6455 has for these frames comes back, in whatever pieces they arrive, and the connection ends as it has it."""
    for sent, answers, code in SECTIONS[section]:
        frames = [raw.frame(opcode, payload, **dict(*options)) for opcode, payload, *options in sent]
        whole = b"".join(frames) + (raw.frame(CLOSE, NORMAL) if code is None else b"")
        # behind a client's own closing frame nothing may come: with the next piece it might find nobody
        size = len(whole) if step is None or len(whole) > 5_000 or any(each[0] == CLOSE for each in sent[:-1]) else step
        client = raw(None)
        for at in range(0, len(whole), size):
            client.send(whole[at : at + size])
        *found, end = heard(client)
        assert (found, end[0], int.from_bytes(end[1][:2], "big")) == (answers, CLOSE, code or 1000), f"{sent!r:.300}"
        client.socket.close()


HANDSHAKE = {
    "request": "GET /v1/live HTTP/1.1", "host": "Host: 127.0.0.1", "upgrade": "Upgrade: websocket", "connection": "Connection: Upgrade",
    "key": "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "version": "Sec-WebSocket-Version: 13",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 101),
        ({"request": "GET /v1/live?some=thing HTTP/1.1"}, 101),
        ({"request": "POST /v1/live HTTP/1.1"}, 405),
        ({"request": "GET /v1/live HTTP/1.0"}, 426),
        ({"request": "GET /elsewhere HTTP/1.1"}, 404),
        ({"host": ""}, 421),
        ({"host": "Host: 127.0.0.1\r\nHost: 127.0.0.1"}, 421),
        ({"upgrade": ""}, 426),
        ({"upgrade": "Upgrade: h2c"}, 426),
        ({"upgrade": "UPGRADE: WebSocket"}, 101),
        ({"connection": ""}, 426),
        ({"connection": "Connection: close"}, 426),
        ({"connection": "Connection: keep-alive, UPGRADE"}, 101),
        ({"key": ""}, 400),
        ({"key": "Sec-WebSocket-Key: c2hvcnQ="}, 400),
        ({"key": "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=="}, 400),
        ({"key": "\r\n".join(["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="] * 2)}, 400),
        ({"version": ""}, 400),
        ({"version": "\r\n".join(["Sec-WebSocket-Version: 13"] * 2)}, 400),
        *[({"version": f"Sec-WebSocket-Version: {version}"}, 426) for version in (0, 8, 14, "013", "x")],
        ({"more": "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-other"}, 101),
        ({"more": "Sec-WebSocket-Protocol: chat, superchat"}, 101),
        ({"more": "Content-Length: 3"}, 400),
        ({"more": "Transfer-Encoding: chunked"}, 400),
    ],
)
def test_handshakes(server, changed, status):
    """A handshake is answered as sections 4.2 and 4.4 have it; no extension and no subprotocol is taken."""
    lines = [line for line in (HANDSHAKE | changed).values() if line]
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), 10) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        data = b""
        while b"\r\n\r\n" not in data:
            part = client.recv(1 << 16)
            assert part, data
            data += part
    first, *headers = data.partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")
    told = dict(line.split(": ", 1) for line in headers)
    assert int(first.split()[1]) == status
    own = {name: value for name, value in told.items() if name.startswith("sec-") or name == "upgrade"}
    assert own == {
        101: {"upgrade": "websocket", "sec-websocket-accept": "s3pplmbitxaq9kygzzhzrbk+xoo="},
        426: {"upgrade": "websocket", "sec-websocket-version": "13"},
    }.get(status, {})


# --- Autobahn ---------------------------------------------------------------------------------------------------------

LEFT_OUT = ["9.2.*", "9.4.*", "9.6.*", "9.8.*"]  # how fast large binary messages are: none is taken
COUNTS = {"OK": 259, "NON-STRICT": 4, "INFORMATIONAL": 3, "FAILED": 8, "UNIMPLEMENTED": 216}
RUN = (
    "import site, sys; site.addsitedir(sys.argv.pop(1)); from autobahntestsuite.wstest import run; "
    "sys.argv[1:] = ['-m', 'fuzzingclient', '-s', sys.argv[1]]; run()"
)


def allowed(case):
    """What the suite may say of a case, and the code with which the server is to have closed; None: the suite looks itself."""
    if case.startswith("1.2."):
        return {"FAILED"}, 1003  # binary messages are refused
    if case.startswith(("12.", "13.")):
        return {"UNIMPLEMENTED"}, None  # compression is offered, and not taken
    if case.startswith("6.4."):
        return {
            "OK",
            "NON-STRICT",
        }, None  # what is no UTF-8 is refused at the message's end, not at its first wrong byte
    if case in {"7.1.6", "7.13.1", "7.13.2"}:
        return {"INFORMATIONAL"}, None  # the RFC leaves it open
    return {"OK"}, None


def test_the_counts_of_the_docs():
    """The protocol's page says how many cases end how, as they do."""
    page = (TREE / "docs" / "live-protocol.md").read_text("utf-8").partition("## Conformance")[2]
    told = [line.split(" | ")[:2] for line in page.splitlines()]
    words = ["| OK", "| non-strict", "| informational", "| refused, as it should be", "| not offered", "| left out"]
    assert [row for row in told if row[-1].isdigit()] == [
        [word, str(count)] for word, count in zip(words, [*COUNTS.values(), 517 - sum(COUNTS.values())], strict=True)
    ]


def is_fine(case, result):
    said, code = allowed(case)
    if result["behavior"] not in said:
        return False
    return result["remoteCloseCode"] == code if code else result["behaviorClose"] in {"OK", "INFORMATIONAL"}


def old_python():
    """A Python 2.7, for which alone the suite is made."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    names = [shutil.which("python2.7"), shutil.which("pypy"), *sorted(map(str, versions.glob("2.7*/bin/python2.7")))]
    look = "import sys, pip; sys.exit(sys.version_info[:2] != (2, 7))"
    for name in filter(None, names):
        if subprocess.run([name, "-c", look], capture_output=True, check=False).returncode == 0:
            return name
    return pytest.skip(
        f"{SUITE} runs on Python 2.7 alone, and there is none with pip: install one, such as with `pyenv install 2.7.18`"
    )


@pytest.fixture(scope="module")
def autobahn():
    """A Python, and the folder with the suite, which is installed there once."""
    python, folder = old_python(), CACHE / SUITE.replace("==", "-")
    if not folder.is_dir():
        partial = folder.with_name(f"{folder.name}.{os.getpid()}")
        command = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--target",
            str(partial),
            SUITE,
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd=TREE)
            failed = done.returncode != 0
        except subprocess.TimeoutExpired:
            failed = True
        if failed:
            shutil.rmtree(partial, ignore_errors=True)
            pytest.skip(f"`python2.7 -m pip install {SUITE}` fails: it needs a package index, and a C compiler")
        try:
            partial.rename(folder)
        except OSError:  # another run was faster
            shutil.rmtree(partial, ignore_errors=True)
    return python, folder


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_autobahn(server, autobahn, tmp_path, monkeypatch):
    """All cases of Autobahn's test suite end as they should; those that are about what is not offered, with a refusal."""
    monkeypatch.setattr(limits, "SERVE_AUTH_BYTES", 32 * MIB)
    monkeypatch.setattr(limits, "SERVE_MESSAGE_BYTES", 32 * MIB)  # its largest messages have 16
    monkeypatch.setattr(limits, "SERVE_RECEIVING_BYTES", 64 * MIB)
    python, folder = autobahn
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    where = [{"agent": "flatwater", "url": server.url.replace("http", "ws", 1) + "/v1/live"}]

    def run(cases, left_out):
        spec = {
            "servers": where, "outdir": str(tmp_path / "out"), "cases": cases, "exclude-cases": left_out, "exclude-agent-cases": {},
        }  # fmt: skip
        (tmp_path / "spec.json").write_text(json.dumps(spec))
        done = subprocess.run(
            [python, "-c", RUN, str(folder), str(tmp_path / "spec.json")], cwd=tmp_path, env=environment, timeout=240,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2_000:]
        return json.loads((tmp_path / "out" / "index.json").read_text())["flatwater"]

    results = run(["*"], LEFT_OUT)
    # the suite waits a second for an answer: on a machine with much to do a case that failed has another try
    again = [case for case, result in results.items() if not is_fine(case, result)]
    if again:
        results |= run(again, [])
    assert {case: result for case, result in results.items() if not is_fine(case, result)} == {}
    assert Counter(result["behavior"] for result in results.values()) == COUNTS
