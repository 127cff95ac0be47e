"""NATS for tests: the real server where it is installed, and a stand-in that answers what a reader of a stream asks.

The stand-in speaks as much of the client protocol as one connection needs, and two questions of JetStream, as its documentation
says: what a stream has, and the first message at a sequence or behind it. It is no proof that the real server does the same.
"""

from __future__ import annotations

import asyncio
import base64
import fnmatch
import json
import shutil
import signal
import socket
import subprocess
import threading
import time

from keeper import START_S, STOP_S, die_with_parent, free_port


class StandIn:
    """A server in a thread. Messages are `(subject, data)`; their place is their sequence."""

    def __init__(self, _folder):
        self.messages = {}
        self.asked = 0
        self.port = free_port()
        self.start()

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    def fill(self, messages):
        for subject, data in messages:
            self.messages[max(self.messages, default=0) + 1] = (subject, data)

    def drop(self, sequence):
        del self.messages[sequence]

    def start(self):
        begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(begun)), daemon=True)
        self._thread.start()
        assert begun.wait(START_S)

    def kill(self):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(STOP_S)

    async def _serve(self, begun):
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._writers = set()
        server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        begun.set()
        await self._over.wait()
        server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _talk(self, reader, writer):
        self._writers.add(writer)
        info = {"server_id": "x", "version": "2.9.0", "proto": 1, "headers": True, "max_payload": 1 << 20, "nonce": ""}
        writer.write(b"INFO " + json.dumps(info).encode() + b"\r\n")
        wanted = {}
        while line := await reader.readline():
            words = line.decode().split()
            if words[0] == "PING":
                writer.write(b"PONG\r\n")
            elif words[0] == "SUB":
                wanted[words[1].replace("*", "")] = words[-1]
            elif words[0] == "PUB":
                body = (await reader.readexactly(int(words[-1]) + 2))[:-2]
                answer = json.dumps(self._answer(words[1], body)).encode()
                number = next(number for prefix, number in wanted.items() if words[2].startswith(prefix))
                writer.write(f"MSG {words[2]} {number} {len(answer)}\r\n".encode() + answer + b"\r\n")

    def _answer(self, subject, body):
        self.asked += 1
        *_api, name = subject.split(".")
        if name != "orders":
            return {"error": {"code": 404, "err_code": 10059, "description": "stream not found"}}
        if "INFO" in subject:
            state = {"messages": len(self.messages), "bytes": 0, "first_seq": 1, "last_seq": max(self.messages, default=0),
                     "consumer_count": 0}  # fmt: skip
            return {"config": {"name": name}, "state": state}
        request = json.loads(body)
        pattern = request["next_by_subj"].replace(">", "*")
        for sequence, (of, data) in sorted(self.messages.items()):
            if sequence >= request["seq"] and fnmatch.fnmatchcase(of, pattern):
                message = {"subject": of, "seq": sequence, "data": base64.b64encode(data).decode(),
                           "time": "2026-01-01T00:00:00.000000000Z"}  # fmt: skip
                return {"message": message}
        return {"error": {"code": 404, "err_code": 10037, "description": "no message found"}}


class Real:
    """`nats-server`, with a stream in a folder."""

    def __init__(self, folder):
        self._folder = folder
        self.port = free_port()
        self.start()
        self._do(lambda stream: stream.add_stream(name="orders", subjects=["orders.>"]))

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    def _do(self, work):
        async def done():
            import nats

            client = await nats.connect(self.url)
            await work(client.jetstream())
            await client.close()

        asyncio.run(done())

    def fill(self, messages):
        async def publish(stream):
            for subject, data in messages:
                await stream.publish(subject, data)

        self._do(publish)

    def drop(self, sequence):
        self._do(lambda stream: stream.delete_msg("orders", sequence))

    def start(self):
        self._process = subprocess.Popen(
            ["nats-server", "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self._folder)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - it calls one function of the system's
        )  # fmt: skip
        deadline = time.monotonic() + START_S
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1.0).close()
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.01)

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(STOP_S)


def is_installed():
    return shutil.which("nats-server") is not None
