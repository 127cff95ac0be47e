"""Giving changes out: each once, in order, to everybody, however slow he reads, whatever is too full, and whatever fails."""

import random
import threading
import time

import pytest

from flatwater import errors, limits
from flatwater.live.database import Database
from flatwater.live.serving import fanout
from flatwater.live.serving.channels import Channel
from flatwater.live.serving.feed import Feed


def changes_of(client, count):
    """So many changes, as operation and id."""
    return [(event["op"], event["row"]["id"]) for event in (client.hear() for _ in range(count))]


@pytest.mark.parametrize("seed", range(4))
def test_slow_and_quick_readers(  # noqa: C901 - a scenario reads top to bottom
    database, live, monkeypatch, seed
):
    """While threads write, readers that stop and go each see every change of their rows once, in order: bounds are so small that
    all of them fall behind and catch up again and again.
    """  # fmt: skip
    monkeypatch.setattr(limits, "SERVE_OUTBOX_BYTES", 1_000)
    monkeypatch.setattr(limits, "SERVE_SOCKET_BYTES", 4_096)
    monkeypatch.setattr(limits, "SERVE_PAGE_BYTES", 700)
    monkeypatch.setattr(limits, "SERVE_FANOUT_BYTES", 3_000)
    monkeypatch.setattr(limits, "SERVE_FANOUT_WAIT_S", 0.01)
    rng = random.Random(seed)
    count = 400
    queries = [
        "SELECT * FROM notes",
        "SELECT * FROM notes WHERE id < 1200",
        "SELECT body AS b, id FROM notes WHERE id >= 400",
    ]
    clients = []
    for number in range(6):
        client = live("ada")
        client.socket.socket.setsockopt(1, 8, 4_096)  # SO_RCVBUF: it is full soon
        client.follow(queries[number % 3])
        clients.append(client)

    def write(first):
        for number in range(first, first + count):
            database.sql("INSERT INTO notes VALUES (?, ?)", [number, "x" * rng.randrange(400)], user="ada")
            if number % 7 == 0:
                database.sql("UPDATE notes SET body = 'changed' WHERE id = ?", [number], user="ada")

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 800, 1_600)]
    wanted = {}
    for first in (0, 800, 1_600):
        for number in range(first, first + count):
            wanted.setdefault(first, []).append(("insert", number))
            if number % 7 == 0:
                wanted[first].append(("update", number))
    holds = [lambda _id: True, lambda number: number < 1_200, lambda number: number >= 400]
    problems = []

    def read(client, kind):
        pause = random.Random(seed + kind)
        mine = {first: [each for each in each_of if holds[kind](each[1])] for first, each_of in wanted.items()}
        seen, last = {first: [] for first in wanted}, 0
        try:
            for _ in range(sum(map(len, mine.values()))):
                event = client.hear()
                assert event["seq"] > last, (event, last)
                last = event["seq"]
                number = event["row"]["id"]
                seen[number // 800 * 800].append((event["op"], number))
                if pause.random() < 0.01:
                    time.sleep(0.05)
            assert seen == mine
        except BaseException as error:
            problems.append(error)

    readers = [threading.Thread(target=read, args=(client, number % 3)) for number, client in enumerate(clients)]
    for thread in writers + readers:
        thread.start()
    for thread in writers + readers:
        thread.join(60)
    assert problems == []


def test_changes_that_come_while_a_snapshot_is_read(database, live):
    """Rows of a large snapshot and changes meanwhile make up the table as it is, without a gap or an overlap."""
    database.load("notes", ({"id": number, "body": "x" * 300} for number in range(3_000)), user="ada")
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            database.sql("UPDATE notes SET body = ? WHERE id = ?", [f"v{number}", number * 37 % 3_000], user="ada")
            database.sql("INSERT INTO notes VALUES (?, 'new')", [10_000 + number], user="ada")
            number += 1
            stop.wait(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(2):
            ada = live()
            ada.say(type="subscribe", id=1, sql="SELECT * FROM notes")
            assert ada.hear()["type"] == "subscribed"
            rows, at, last = {}, None, 0
            while True:
                event = ada.hear()
                if event["op"] == "snapshot":
                    assert at in {None, event["seq"]}
                    at = event["seq"]
                    for row in event["rows"]:
                        assert row["id"] not in rows
                        rows[row["id"]] = row["body"]
                elif event["op"] == "ready":
                    assert event["seq"] >= at
                else:
                    assert event["seq"] > max(last, at)
                    last = event["seq"]
                    assert (event["op"] == "insert") == (event["row"]["id"] not in rows)
                    if event["op"] == "update":
                        assert rows[event["row"]["id"]] == event["old"]["body"]
                    rows[event["row"]["id"]] = event["row"]["body"]
                    if len(rows) > 3_000 + 50 and last > at:
                        break
            ada.socket.close()
    finally:
        stop.set()
        writer.join()


def test_frames_are_made_once(database, live, monkeypatch):
    """However many follow the same rows, a change is made into a frame once."""
    made = []
    real = Channel.change

    def change(self, *arguments):
        made.append(self.number)
        return real(self, *arguments)

    monkeypatch.setattr(Channel, "change", change)
    clients = [live("ada") for _ in range(12)]
    for client in clients:
        client.follow("SELECT * FROM notes WHERE id > ?", params=[0])
    database.sql("INSERT INTO notes VALUES (1, 'x')", user="ada")
    assert [client.hear()["row"]["id"] for client in clients] == [1] * 12
    assert len(made) == 1


def test_a_frame_that_cannot_be_made(database, live, monkeypatch):
    """Where giving a change fails, it is read from the log: nothing is lost, and others go on."""
    real, broken = fanout._frames, []

    def frames(channel, changes):
        if not broken:
            broken.append(1)
            raise errors.CorruptError("a test")
        return real(channel, changes)

    monkeypatch.setattr(fanout, "_frames", frames)
    ada, bob = live("ada"), live("bob")
    ada.follow("SELECT * FROM notes")
    bob.follow("SELECT * FROM notes")
    for number in range(5):
        for user in ("ada", "bob"):
            database.sql("INSERT INTO notes VALUES (?, 'x')", [number], user=user)
    for client in (ada, bob):
        assert changes_of(client, 5) == [("insert", number) for number in range(5)]
    assert broken


def test_no_bytes_to_read_the_log(budget_of_server, database):
    """Who has to read the log while the budget is full reads it when there is room again."""
    assert database
    small, ask = budget_of_server("80 MiB")
    subscription = small.subscribe("SELECT * FROM notes", user="ada")
    with small.budget.reserve(small.budget.limit - small.budget.held, "hog"), pytest.raises(errors.BudgetExceeded):
        subscription.page(1_000)
    assert subscription.page(1_000) == []
    assert subscription.page(1_000) is None
    subscription.close()
    assert ask.sql("SELECT * FROM notes").status_code == 200


def test_who_waits_for_bytes_is_not_level(database, live, server, on_loop, monkeypatch):
    """Where a query waits for bytes to read the log, its client is not told that it has everything; then it gets what it missed."""
    monkeypatch.setattr(limits, "SERVE_AGAIN_S", 1.0)
    ada = live()
    ada.follow("SELECT * FROM notes")
    feed = next(iter(server.service.fanout.targets.values()))
    real, asked = Feed.page, []

    def page(self):
        asked.append(self)
        if len(asked) == 1:
            raise errors.BudgetExceeded("a test", asked=1, held=1, limit=1)
        return real(self)

    monkeypatch.setattr(Feed, "page", page)

    def fall_behind():
        with database._following.lock:
            database._following.unlevel(feed.number)
        server.service.fanout.late(feed)

    on_loop(fall_behind)
    until = time.monotonic() + 5
    while not asked and time.monotonic() < until:
        time.sleep(0.01)
    database.sql("INSERT INTO notes VALUES (1, 'x')", user="ada")
    assert not on_loop(lambda: server.service.fanout.is_level(feed.connection))
    on_loop(server.service._tell_level)
    assert ada.hear()["op"] == "insert"
    while not on_loop(lambda: server.service.fanout.is_level(feed.connection)) and time.monotonic() < until:
        time.sleep(0.01)
    assert on_loop(lambda: server.service.fanout.is_level(feed.connection))


def test_a_trimmed_log(tmp_path, live_of, monkeypatch):
    """Who reads so slowly that the log has moved on gets `reset`, the rows as they are, and goes on from there."""
    monkeypatch.setattr(limits, "SERVE_OUTBOX_BYTES", 1_000)
    monkeypatch.setattr(limits, "SERVE_SOCKET_BYTES", 4_096)
    with Database(tmp_path / "short", sync="off", log_bytes="64 KiB") as database, database.serve(port=0) as server:
        database.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')")
        slow = live_of(server)
        slow.follow("SELECT * FROM notes")
        for number in range(20_000):
            database.sql("INSERT INTO notes VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body",
                         [number % 50, f"{number:0200}"], user="ada")  # fmt: skip
        rows, was_reset, last = {}, False, 0
        while len(rows) < 50 or max(rows.values()) < f"{19_999:0200}":
            event = slow.hear()
            assert event.get("seq", 0) >= last
            if event["op"] == "reset":
                rows, was_reset = {}, True
            elif event["op"] == "snapshot":
                rows |= {row["id"]: row["body"] for row in event["rows"]}
            elif event["op"] != "ready":
                rows[event["row"]["id"]] = event["row"]["body"]
            last = event["seq"]
        assert was_reset


def test_transactions_of_many_rows(database, live):
    """A statement that changes many rows is given whole, in order, to several who follow different parts of it."""
    odd, all_of = live("ada"), live("ada")
    odd.follow("SELECT * FROM notes WHERE body = 'odd'")
    all_of.follow("SELECT * FROM notes")
    values = ", ".join(f"({number}, '{'odd' if number % 2 else 'even'}')" for number in range(3_000))
    database.sql(f"INSERT INTO notes VALUES {values}", user="ada")
    assert changes_of(all_of, 3_000) == [("insert", number) for number in range(3_000)]
    assert changes_of(odd, 1_500) == [("insert", number) for number in range(1, 3_000, 2)]
    database.sql("UPDATE notes SET body = 'even' WHERE body = 'odd'", user="ada")
    assert changes_of(all_of, 1_500) == [("update", number) for number in range(1, 3_000, 2)]
    assert changes_of(odd, 1_500) == [("delete", number) for number in range(1, 3_000, 2)]


def test_rows_larger_than_an_outbox(database, live):
    """A change that is larger than any bound between server and client arrives whole; those behind it, too."""
    ada = live()
    ada.follow("SELECT * FROM notes")
    for number in range(4):
        database.sql("INSERT INTO notes VALUES (?, ?)", [number, "x" * 3_000_000], user="ada")
    for number in range(4):
        row = ada.hear()["row"]
        assert (row["id"], len(row["body"])) == (number, 3_000_000)


def test_a_place_is_kept_while_it_is_read(database, live, monkeypatch):
    """Who leaves in the middle of a page keeps his place in the log until it is read: it is not another one's before that."""
    from flatwater.live.subscriber import Subscription

    begun, may_end, page = threading.Event(), threading.Event(), Subscription.page

    def slow(reader, size):
        begun.set()
        may_end.wait(20)
        return page(reader, size)

    monkeypatch.setattr(Subscription, "page", slow)
    ada = live()
    ada.say(type="subscribe", id=1, sql="SELECT * FROM notes")
    assert ada.hear()["type"] == "subscribed"
    assert begun.wait(20)
    ada.say(type="unsubscribe", id=1)
    assert ada.hear()["type"] == "unsubscribed"
    ada.say(type="subscribe", id=2, sql="SELECT * FROM notes")
    assert ada.hear()["type"] == "subscribed"
    assert len(database._following.subscriptions) == 2
    may_end.set()
    assert ada.hear()["op"] == "ready"
