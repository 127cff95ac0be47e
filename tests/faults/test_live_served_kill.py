"""Servers that are killed: what was acknowledged to clients is there, and their subscribers saw each change once, in order.

This file is also the program that is killed, `python test_live_served_kill.py DATABASE PORT`. It says where it is, and serves until then.
"""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

import flatwater as fw

WRITERS, FOLLOWERS, ROUNDS = 3, 4, 6
TABLE = "CREATE TABLE IF NOT EXISTS notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')"


def program(path, port):
    """Serve, until the end comes."""
    with fw.Database(path) as db, db.serve(port=int(port)) as server:
        db.sql(TABLE)
        print(server.token("ada"), flush=True)
        server.wait()


class Killed:
    """A server in a process of its own, which is killed and started again at the same port."""

    def __init__(self, path):
        self._path, self._child = path, None
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self._port = taken.getsockname()[1]
        self.url, self.token = f"http://127.0.0.1:{self._port}", ""
        self.start()

    def start(self):
        self._child = subprocess.Popen(
            [sys.executable, __file__, self._path, str(self._port)],
            stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        self.token = self._child.stdout.readline().strip()
        assert self.token

    def kill(self):
        self._child.send_signal(signal.SIGKILL)
        self._child.wait()
        self._child.stdout.close()


@pytest.fixture
def killed(tmp_path):
    made = Killed(str(tmp_path / "data"))
    yield made
    made.kill()


def write(client, number, acknowledged, is_over):
    """Insert, change and delete rows of one's own; note what was acknowledged, and what may have been done."""
    rng = random.Random(number)
    for count in range(1_000_000):
        if is_over.is_set():
            return
        key, body = number * 1_000_000 + count, f"{number}-{count}"
        try:
            client.sql("INSERT INTO notes VALUES (?, ?)", [key, body])
            acknowledged[key] = body
            if rng.random() < 0.2:
                acknowledged[key] = None  # from here on one or the other
                client.sql("UPDATE notes SET body = ? WHERE id = ?", [body + "!", key])
                acknowledged[key] = body + "!"
        except (fw.errors.BrokenError, fw.errors.BudgetExceeded, fw.errors.LimitReached):
            time.sleep(0.02)


def follow(reader, copy, is_over, end):
    """What a subscriber makes of events, each of which has to fit to what it knows; until the last row came."""
    last = 0
    while end not in copy:
        event = reader.poll(1.0)
        if event is None:
            assert not is_over.is_set()
            continue
        key = event.row["id"]
        assert event.op in {"insert", "update"}
        assert event.seq > last
        last = event.seq
        assert copy.get(key) == (None if event.op == "insert" else event.old["body"])
        assert event.op == "update" or key not in copy
        copy[key] = event.row["body"]


@pytest.mark.slow
def test_a_server_is_killed(killed):
    """Behind several kills each acknowledged row is there, and each subscriber has seen every change of its rows once, in order."""
    end = 1 << 40
    acknowledged, writing_is_over, is_over, failures = {}, threading.Event(), threading.Event(), []
    copies = [{} for _ in range(FOLLOWERS)]
    rng = random.Random(1)

    def safely(call, *given):
        try:
            call(*given)
        except BaseException as error:
            failures.append(error)

    with contextlib.ExitStack() as opened:
        client, other = (opened.enter_context(fw.Client(killed.url, token=lambda: killed.token)) for _ in range(2))
        readers = [
            opened.enter_context((client, other)[number % 2].subscribe("SELECT * FROM notes", last_rows=0))
            for number in range(FOLLOWERS)
        ]
        threads = [
            threading.Thread(target=safely, args=(write, client, number, acknowledged, writing_is_over))
            for number in range(WRITERS)
        ]
        following = [
            threading.Thread(target=safely, args=(follow, reader, copy, is_over, end))
            for reader, copy in zip(readers, copies, strict=True)
        ]
        for thread in (*threads, *following):
            thread.start()
        for _ in range(ROUNDS):
            known = len(acknowledged)
            wanted = rng.randrange(50, 200)
            until = time.monotonic() + 20
            while len(acknowledged) < known + wanted and time.monotonic() < until and not failures:
                time.sleep(0.01)
            assert len(acknowledged) > known
            killed.kill()
            killed.start()
        writing_is_over.set()
        for thread in threads:
            thread.join(20)
        assert other.sql("INSERT INTO notes VALUES (?, 'end')", [end]).count == 1
        for thread in following:
            thread.join(20)
        is_over.set()
        assert failures == []
        assert not any(thread.is_alive() for thread in (*threads, *following))
        rows = {row["id"]: row["body"] for row in client.sql("SELECT * FROM notes")}
    missing = {key: body for key, body in acknowledged.items() if rows.get(key) != (body or rows.get(key, ""))}
    assert missing == {}
    assert len(acknowledged) > ROUNDS
    for copy in copies:
        assert copy == rows


if __name__ == "__main__":
    program(*sys.argv[1:])
