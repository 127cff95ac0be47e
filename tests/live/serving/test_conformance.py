"""RFC 6455 over a socket, section by section: what a client may send is answered, what it may not send ends with the code that the RFC has.

Each case is sent whole, in two pieces, and byte by byte. What a server would echo is the `id` of a message here, which comes back as it was sent.
Clients of other makes: the `websockets` library (`test_connection.py`), Chromium (`pages/`), and Node's `ws` below.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from flatwater.live.database import Database

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NODE_WS = Path("/usr/share/nodejs/ws")  # where Debian's package node-ws puts it
FINE = "κόσμε \u00e9 \u20ac \U0001f600 \U0010ffff \ufffd \ud7ff \ue000 \u0080 \u0800 \U00010000"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Database(tmp_path_factory.mktemp("conformance") / "data", sync="off") as database:
        database.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')")
        with database.serve(port=0) as made:
            yield made


def said(payload):
    """A message whose id comes back."""
    return b'{"type":"unsubscribe","id":"%s"}' % payload


def text(frame, payload=b"a"):
    return frame(TEXT, said(payload))


def in_parts(frame, data, sizes, between=b""):
    """A text in fragments of these sizes, the rest in a last one, with other frames between them."""
    frames, at = b"", 0
    for size in sizes:
        frames += frame(CONT if at or frames else TEXT, data[at : at + size], fin=False) + between
        at += size
    return frames + frame(CONT, data[at:])


def echoed(*payloads):
    """What comes back for these texts."""
    return [(TEXT, payload) for payload in payloads]


def sections(frame):  # noqa: C901 - a table
    """Cases by name: what is sent, what comes back, and the code of the closing frame; None where the connection goes on."""
    half = said("ab\u00e9cd".encode())
    cut = half.index(b"\xc3") + 1  # in the middle of a character
    cases = {}
    # 5.2: lengths in 7, 16 and 64 bits, and the masking key
    for size in (0, 1, 125 - 28, 126 - 28, 127 - 28, 128 - 28, 65_535 - 28, 65_536 - 28, 400_000):
        cases[f"a text of {size} bytes and its envelope"] = (text(frame, b"x" * size), echoed(b"x" * size), None)
    for mask in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\xff\0\xff"):
        cases[f"mask {mask.hex()}"] = (frame(TEXT, said(b"a"), mask=mask), echoed(b"a"), None)
    cases["not masked"] = (frame(TEXT, said(b"a"), mask=None), [], 1002)
    cases["a ping, not masked"] = (frame(PING, b"a", mask=None), [], 1002)
    cases["a length with its highest bit"] = (frame(TEXT, b"", size=1 << 63), [], {1002, 1009})
    cases["a length above what a message may have"] = (frame(TEXT, b"", size=1 << 40), [], 1009)
    # 5.2: reserved bits and opcodes, alone and behind a text that is answered
    for bits in range(0x10, 0x80, 0x10):
        cases[f"reserved bits {bits:#x} of a text"] = (frame(TEXT, said(b"a"), reserved=bits), [], 1002)
        cases[f"reserved bits {bits:#x} of a ping behind a text"] = (
            text(frame) + frame(PING, b"", reserved=bits),
            echoed(b"a"),
            1002,
        )
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        cases[f"opcode {opcode}"] = (frame(opcode), [], 1002)
        cases[f"opcode {opcode} with data, behind a text"] = (text(frame) + frame(opcode, b"data"), echoed(b"a"), 1002)
    # 5.4: fragments
    for sizes in ([1], [1, 1, 1], [0], [0, 0, 5], [40], [cut], [3] * 8):
        cases[f"fragments of {sizes}"] = (in_parts(frame, half, sizes), echoed("ab\u00e9cd".encode()), None)
        cases[f"fragments of {sizes} and pings"] = (
            in_parts(frame, half, sizes, frame(PING, b"p")),
            [(PONG, b"p")] * len(sizes) + echoed("ab\u00e9cd".encode()), None,
        )  # fmt: skip
    cases["two texts in fragments, one behind the other"] = (
        in_parts(frame, said(b"a"), [5]) + in_parts(frame, said(b"b"), [7]), echoed(b"a", b"b"), None,
    )  # fmt: skip
    cases["a last fragment of nothing"] = (frame(CONT), [], 1002)
    cases["a fragment of nothing"] = (frame(CONT, b"x", fin=False), [], 1002)
    cases["a fragment behind a whole text"] = (text(frame) + frame(CONT, b"x"), echoed(b"a"), 1002)
    cases["a text in the middle of another one"] = (frame(TEXT, b"x", fin=False) + text(frame), [], 1002)
    cases["binary in the middle of a text"] = (frame(TEXT, b"x", fin=False) + frame(BINARY, b"x"), [], {1002, 1003})
    cases["closing in the middle of a text"] = (frame(TEXT, b"x", fin=False) + frame(CLOSE, b"\x03\xe8"), [], 1000)
    # 5.5: control frames
    for size in (0, 1, 124, 125):
        data = bytes(range(size))
        cases[f"a ping of {size} bytes"] = (frame(PING, data), [(PONG, data)], None)
    cases["a ping of 126 bytes"] = (frame(PING, b"x" * 126), [], 1002)
    cases["a pong of 126 bytes"] = (frame(PONG, b"x" * 126), [], 1002)
    cases["a closing of 126 bytes"] = (frame(CLOSE, b"\x03\xe8" + b"x" * 124), [], 1002)
    cases["ten pings"] = (
        b"".join(frame(PING, b"%d" % n) for n in range(10)),
        [(PONG, b"%d" % n) for n in range(10)],
        None,
    )
    cases["a pong nobody asked for, then a ping"] = (frame(PONG, b"x") + frame(PING, b"y"), [(PONG, b"y")], None)
    for name, opcode in (("ping", PING), ("pong", PONG), ("closing", CLOSE)):
        cases[f"a {name} in fragments"] = (frame(opcode, b"", fin=False) + frame(CONT, b""), [], 1002)
    # 5.6, 8.1: texts are UTF-8, whole and where a fragment cuts a character
    cases["characters of each length"] = (text(frame, FINE.encode()), echoed(FINE.encode()), None)
    cases["characters of each length, a byte at a time"] = (
        in_parts(frame, said(FINE.encode()), [1] * len(said(FINE.encode()))), echoed(FINE.encode()), None,
    )  # fmt: skip
    for broken in NOT_UTF8:
        cases[f"not UTF-8: {broken.hex()}"] = (text(frame, b"a" + broken + b"b"), [], 1007)
        cases[f"not UTF-8, in fragments: {broken.hex()}"] = (in_parts(frame, said(b"a" + broken), [30, 1]), [], 1007)
    # 7: closing
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999):
        cases[f"closing with {code}"] = (frame(CLOSE, code.to_bytes(2, "big")), [], code)
    for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535):
        cases[f"closing with {code}, which nobody may send"] = (frame(CLOSE, code.to_bytes(2, "big")), [], 1002)
    cases["closing with nothing"] = (frame(CLOSE), [], {1000, None})
    cases["closing with one byte"] = (frame(CLOSE, b"\x03"), [], 1002)
    cases["closing with a reason"] = (frame(CLOSE, b"\x03\xe8" + "gr\u00fcn".encode()), [], 1000)
    cases["closing with a reason of 123 bytes"] = (frame(CLOSE, b"\x03\xe8" + b"x" * 123), [], 1000)
    cases["closing with a reason that is not UTF-8"] = (frame(CLOSE, b"\x03\xe8" + b"\xce\xba\xff"), [], 1007)
    for name, behind in (
        ("a text", text(frame)),
        ("a ping", frame(PING, b"x")),
        ("another closing", frame(CLOSE, b"\x03\xe9")),
    ):
        cases[f"{name} behind a closing"] = (frame(CLOSE, b"\x03\xe8") + behind, [], 1000)
    cases["closing behind a text"] = (text(frame) + frame(CLOSE, b"\x03\xe8"), echoed(b"a"), 1000)
    cases["binary"] = (frame(BINARY, b"x"), [], 1003)  # this protocol has texts alone
    return cases


# What RFC 3629 does not allow: lone and missing continuations, overlong forms, halves of pairs, what is above U+10FFFF, bytes that never occur.
NOT_UTF8 = [
    bytes.fromhex(each)
    for each in [
        "80",
        "bf",
        "8080",
        "c2",
        "e0a0",
        "e1",
        "f09080",
        "f0",
        "c0af",
        "c080",
        "e0809f",
        "e08080",
        "f0808080",
        "f08fbfbf",
        "f8888080",
        "80",
        "fc8480808080",
        "eda080",
        "edadbf",
        "edaebf",
        "edafbf",
        "edb080",
        "edbfbf",
        "eda080edb080",
        "f4908080",
        "f5808080",
        "fe",
        "ff",
        "c1bf",
        "e1a041",
        "c241",
        "f0908041",
    ]
]
NAMES = list(sections(lambda *_args, **_options: b""))


@pytest.mark.parametrize("name", NAMES)
def test_a_section(raw, name):
    """What comes back, and how it ends, is the same however the bytes arrive; a connection that goes on answers a ping."""
    clients = [raw() for _ in range(3)]
    frame = clients[0].made
    data, back, code = sections(frame)[name]
    steps = [len(data), max(1, len(data) // 2), 1 if len(data) < 2_000 else 1_000]
    for ada, step in zip(clients, steps, strict=True):
        for at in range(0, len(data), step):
            ada.send(data[at : at + step])
        for opcode, payload in back:
            got, heard = ada.frame()
            assert got == opcode
            assert (json.loads(heard)["id"].encode() if opcode == TEXT else heard) == payload
        if code is None:
            ada.send(frame(PING, b"still there"))
            assert ada.frame() == (PONG, b"still there")
        else:
            opcode, payload = ada.frame()
            assert opcode == CLOSE
            assert (int.from_bytes(payload[:2], "big") if payload else None) in (
                code if isinstance(code, set) else {code}
            )


@pytest.fixture
def node_ws():
    """A function that runs a script in Node with its `ws` and the server's address: what it prints, as JSON."""
    node = shutil.which("node")
    if node is None or not NODE_WS.exists():
        pytest.skip("NO NODE-WS: no client of Node's ws is tried (apt-get install nodejs node-ws)")

    def ran(script, url, token):
        head = f"const WebSocket = require({json.dumps(str(NODE_WS))}); const [url, token] = process.argv.slice(1);\n"
        done = subprocess.run(
            [node, "-e", head + script, url, token], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ran


FOLLOWED = """
const socket = new WebSocket(url, {headers: {Authorization: `Bearer ${token}`}, perMessageDeflate: true});
const heard = [], say = (message) => socket.send(JSON.stringify(message));
socket.on("message", (data, isBinary) => {
  const message = JSON.parse(data);
  heard.push({...message, isBinary});
  if (message.type === "authenticated") say({type: "subscribe", id: "x".repeat(70000), sql: "SELECT * FROM notes"});
  if (message.op === "ready") {
    socket.ping("are you there");
    socket.send('{"type":', {fin: false});
    socket.send('"ping"}', {fin: true});
  }
  if (message.type === "pong") heard.push({extensions: socket.extensions}), socket.close(4000, "done");
});
socket.on("pong", (data) => heard.push({ponged: String(data)}));
socket.on("close", (code, reason) => console.log(JSON.stringify([...heard, {code}])));
socket.on("error", (error) => { console.error(error); process.exit(1); });
"""
REFUSED = """
const results = {}, ends = [];
const open = (name, options, act) => ends.push(new Promise((done) => {
  const socket = new WebSocket(url + (options.path || ""), options);
  socket.on("open", () => act && act(socket));
  socket.on("unexpected-response", (_request, response) => { results[name] = response.statusCode; socket.terminate(); done(); });
  socket.on("close", (code) => { results[name] = results[name] || code; done(); });
  socket.on("error", () => {});
}));
const headers = {Authorization: `Bearer ${token}`};
open("too large", {headers}, (socket) => socket.send("x".repeat(600000)));
open("binary", {headers}, (socket) => socket.send(Buffer.from([1, 2, 3])));
open("no JSON", {headers}, (socket) => socket.send("{"));
open("wrong token", {headers: {Authorization: "Bearer x"}});
open("origin", {headers, origin: "https://elsewhere.example"});
open("path", {headers, path: "/elsewhere"});
Promise.all(ends).then(() => console.log(JSON.stringify(results)));
"""


def test_nodes_ws(server, node_ws):
    """It follows a query, sends fragments and pings, offers compression that is not taken, and closes with its own code."""
    heard = node_ws(FOLLOWED, server.url.replace("http", "ws", 1) + "/v1/live", server.token("nora"))
    assert [each.get("type", each.get("op")) for each in heard if "isBinary" in each] == [
        "authenticated", "subscribed", "ready", "pong",
    ]  # fmt: skip
    assert not any(each.get("isBinary") for each in heard)
    assert len(heard[1]["id"]) == 70_000
    assert {"ponged": "are you there"} in heard
    assert {"extensions": ""} in heard
    assert heard[-1] == {"code": 4000}


def test_what_nodes_ws_is_refused(server, node_ws):
    """It is told the status of a handshake that is refused, and the code that a connection ends with."""
    refused = node_ws(REFUSED, server.url.replace("http", "ws", 1) + "/v1/live", server.token("nora"))
    assert refused == {
        "too large": 1009, "binary": 1003, "no JSON": 4400, "wrong token": 4401, "origin": 403, "path": 404,
    }  # fmt: skip
