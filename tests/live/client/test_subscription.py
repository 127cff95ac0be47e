"""Live queries as their readers have them."""

import asyncio
import gc
import threading

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.budget.budget import Budget


def test_rows_then_changes(client, take):
    """The rows there are, then each change with what was before; columns are known."""
    client.sql("INSERT INTO notes VALUES (1, 'a'), (2, 'b')")
    with client.subscribe("SELECT id, body AS text FROM notes WHERE id < ?", [10]) as reader:
        assert reader.columns == ("id", "text")
        first = take(reader, 2)
        assert [(event.op, event.row, event.old) for event in first] == [
            ("snapshot", {"id": 1, "text": "a"}, None), ("snapshot", {"id": 2, "text": "b"}, None),
        ]  # fmt: skip
        client.sql("INSERT INTO notes VALUES (3, NULL), (30, 'far')")
        client.sql("UPDATE notes SET body = 'c' WHERE id = 3")
        client.sql("DELETE FROM notes WHERE id = 3")
        gone = {"id": 3, "text": "c"}
        assert [(event.op, event.row, event.old) for event in take(reader, 3)] == [
            ("insert", {"id": 3, "text": None}, None), ("update", gone, {"id": 3, "text": None}), ("delete", gone, gone),
        ]  # fmt: skip
        assert reader.poll() is None
    assert list(reader) == []
    with pytest.raises(errors.ClosedError):
        reader.poll()


def test_the_same_for_coroutines(served):
    """Coroutines get the same."""

    async def run():
        async with fw.AsyncClient(served.url, token=served.token()) as client:
            await client.sql("INSERT INTO notes VALUES (1, 'a')")
            async with await client.subscribe("SELECT * FROM notes") as reader:
                found = [await reader.poll(20)]
                assert await reader.poll(0) is None
                await client.sql("UPDATE notes SET body = 'b'")
                async for event in reader:
                    found.append(event)
                    break
                assert [event.row["body"] for event in found] == ["a", "b"]
                assert reader.seq == found[-1].seq
            with pytest.raises(errors.ClosedError):
                await reader.poll()
            with pytest.raises(errors.UsageError):
                await client.subscribe("SELECT * FROM nothing")
            resumed = await client.subscribe("SELECT * FROM notes", since=found[0].seq)
            assert (await resumed.poll(20)).op == "update"
            waiting = asyncio.create_task(resumed.poll())
            await asyncio.sleep(0)
        with pytest.raises(errors.ClosedError):
            await waiting
        assert [event async for event in resumed] == []

    asyncio.run(run())


def test_where_to_go_on(client, take, ready):
    """`seq` is None until the snapshot was read in whole; from then on another subscription goes on there."""
    client.sql("INSERT INTO notes VALUES (1, 'a'), (2, 'b')")
    reader = client.subscribe("SELECT * FROM notes")
    take(reader, 1)
    assert reader.seq is None
    take(reader, 1)
    ready(reader)
    start = reader.seq
    client.sql("INSERT INTO notes VALUES (3, 'c'), (4, 'd')")
    third = take(reader, 1)[0]
    assert reader.seq == third.seq
    assert [event.row["id"] for event in take(client.subscribe("SELECT * FROM notes", since=start), 2)] == [3, 4]
    assert [event.row["id"] for event in take(client.subscribe("SELECT * FROM notes", since=third.seq), 1)] == [4]
    assert [event.row["id"] for event in take(client.subscribe("SELECT * FROM notes", last_rows=1), 1)] == [4]
    empty = client.subscribe("SELECT * FROM notes", last_rows=0)
    ready(empty)
    assert empty.seq >= third.seq


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("SELECT * FROM nothing", {}), ("SELECT count(*) FROM notes", {}), ("DELETE FROM notes", {}), ("SELECT * FROM notes", {"since": -1}),
        ("SELECT * FROM notes", {"last_rows": "x"}), ("SELECT * FROM notes", {"since": 1.5}), ("SELECT * FROM notes WHERE id = ?", {}),
        ("SELECT * FROM notes -- " + "x" * (1 << 20), {}), ("SELECT * FROM notes", {"params": [object()]}),
    ],
)  # fmt: skip
def test_what_cannot_be_followed(client, take, text, options):
    """Is refused at once, and others on the same connection go on."""
    with client.subscribe("SELECT * FROM notes") as reader:
        with pytest.raises(errors.UsageError):
            client.subscribe(text, **options)
        client.sql("INSERT INTO notes VALUES (1, 'a')")
        assert take(reader, 1)[0].op == "insert"


def test_the_server_ends_it(client, database, take):
    """A table that is dropped ends it with an error, behind what came before; then it is closed."""
    reader = client.subscribe("SELECT * FROM notes")
    client.sql("INSERT INTO notes VALUES (1, 'a')")
    assert take(reader, 1)[0].op == "insert"
    database.sql("DROP TABLE notes")
    with pytest.raises(errors.UsageError, match="dropped"):
        reader.poll(20)
    assert list(reader) == []


def test_waiting_is_ended(client):
    """Closing the client wakes who waits."""
    reader = client.subscribe("SELECT * FROM notes")
    heard = []
    waiting = threading.Thread(target=lambda: heard.append(list(reader)))
    waiting.start()
    client.close()
    waiting.join(20)
    assert heard == [[]]


def test_bytes_are_given_back(served):
    """By close, and when a subscription is dropped; the rest with the client."""
    with Budget("64 MiB") as budget, fw.Client(served.url, token=served.token()) as client:
        first = client.subscribe("SELECT * FROM notes")
        level = budget.held
        assert level <= client.bytes_max(results=0)
        for end in range(20):
            reader = client.subscribe("SELECT * FROM notes")
            if end % 2:
                reader.close()
            del reader
            gc.collect()
        client.subscribe("SELECT * FROM notes").close()
        client._live.call(asyncio.sleep(0))
        assert budget.held == level
        first.close()
    assert budget.held == 0


@pytest.mark.parametrize(
    "message",
    ['{"channel": 1, "op": "insert", "seq": 1, "row": 5}', '{"channel": 1, "op": "snapshot", "seq": 1, "rows": {}}',
     '{"channel": 1, "op": "update", "seq": 1, "row": {}}', '{"channel": 1, "op": "insert", "seq": 1}'],
)  # fmt: skip
def test_rows_that_are_none(hostile, client_of, message):
    """A row that is none is an error to its reader."""

    def say(one):
        one.recv()
        one.send('{"type": "subscribed", "id": 1, "channel": 1, "columns": []}')
        one.send(message)

    reader = client_of(hostile(say), token="t").subscribe("SELECT 1")
    with pytest.raises(errors.BrokenError, match="not understood"):
        reader.poll(20)
    assert list(reader) == []


def test_a_second_reader(client, ready):
    """It is refused at once; the first one waits on, and closing from another thread wakes him."""
    reader, ended = client.subscribe("SELECT * FROM notes"), []
    ready(reader)

    def read():
        try:
            reader.poll(60)
        except errors.ClosedError as error:
            ended.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    while reader._feed.mailbox._waiter is None:
        thread.join(0.001)
    for _ in range(2):
        with pytest.raises(errors.UsageError, match="another thread or task reads"):
            reader.poll()
    reader.close()
    thread.join(10)
    assert ended


def test_a_second_reader_of_coroutines(served):
    """It is refused at once; where the first one is cancelled, the next one may read."""

    async def run():
        async with fw.AsyncClient(served.url, token=served.token()) as client:
            reader = await client.subscribe("SELECT * FROM notes")
            waiting = asyncio.create_task(reader.poll())
            await asyncio.sleep(0)
            with pytest.raises(errors.UsageError, match="another thread or task reads"):
                await reader.poll(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await client.sql("INSERT INTO notes VALUES (1, 'a')")
            assert (await reader.poll(20)).op in {"snapshot", "insert"}

    asyncio.run(run())
