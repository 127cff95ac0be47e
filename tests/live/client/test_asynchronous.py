"""Statements by a client of coroutines."""

import asyncio

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.budget.budget import Budget
from flatwater.live.access import AccessDenied
from flatwater.live.refusals import Conflict, Unauthenticated


def test_statements_and_errors(served):
    """They are those of a client with threads."""

    async def run():
        async with fw.AsyncClient(served.url, token=served.token()) as client:
            assert (await client.sql("INSERT INTO notes VALUES (1, ?)", ["ä"])).count == 1
            assert [row async for row in await client.sql("SELECT * FROM notes")] == [{"id": 1, "body": "ä"}]
            for text, kind in (
                ("SELECT * FROM nothing", errors.UsageError), ("CREATE NAMESPACE a", AccessDenied), ("INSERT INTO notes VALUES (1, 'b')", Conflict),
            ):  # fmt: skip
                with pytest.raises(kind):
                    await client.sql(text)
            many = await asyncio.gather(
                *(client.sql("INSERT INTO notes VALUES (?, 'x')", [number + 10]) for number in range(50))
            )
            assert sum(result.count for result in many) == 50
        with pytest.raises(errors.ClosedError):
            await client.sql("SELECT 1")
        with pytest.raises(errors.ClosedError):
            await client.subscribe("SELECT * FROM notes")
        await client.close()

    asyncio.run(run())


def test_tokens(served):
    """A function, which may be a coroutine's, is asked again once; a text is refused."""
    given = []

    async def token():
        given.append(1)
        return served.token() if len(given) > 1 else "no.such.token"

    async def run():
        async with fw.AsyncClient(served.url, token=token) as client:
            assert [row async for row in await client.sql("SELECT * FROM notes")] == []
        assert len(given) == 2
        async with fw.AsyncClient(served.url, token="secret.of.mine") as client:
            with pytest.raises(Unauthenticated) as refused:
                await client.sql("SELECT 1")
            assert "secret" not in f"{refused.value}{client!r}"

    asyncio.run(run())


def test_logging_in(canned, answer):
    """With a password it logs in by itself, and again when its token is refused."""
    tokens = [
        answer(b'{"token": "%s", "user": "ada", "role": "user", "expires_s": 3600}' % text, kind="application/json")
        for text in (b"one", b"two")
    ]
    refused = answer(b'{"error": {"code": "unauthenticated", "message": "no."}}', "401 No")
    server = canned(tokens[0], refused, tokens[1], answer(b'{"id": 1}\n'))

    async def run():
        async with fw.AsyncClient(server.url, user="ada", password="p") as client:
            assert [row async for row in await client.sql("SELECT 1")] == [{"id": 1}]

    asyncio.run(run())
    assert b"Bearer two" in server.heard[3]


def test_trying_again(canned, answer, quick):
    """A SELECT is said again where the connection breaks, another statement is not."""

    async def run():
        async with fw.AsyncClient(canned(b"", b"", answer(b'{"id": 1}\n')).url, token="t") as client:
            assert [row async for row in await client.sql("SELECT 1")] == [{"id": 1}]
        async with fw.AsyncClient(canned(b"", answer(b"")).url, token="t") as client:
            with pytest.raises(errors.BrokenError, match="not known"):
                await client.sql("DELETE FROM a")

    asyncio.run(run())


def test_bytes_are_given_back(served):
    """All of them, when it is closed."""

    async def run():
        with Budget("64 MiB") as budget:
            async with fw.AsyncClient(served.url, token=served.token()) as client:
                reader = await client.subscribe("SELECT * FROM notes")
                async with await client.sql("SELECT * FROM notes"):
                    assert 0 < budget.held <= client.bytes_max()
                assert await reader.poll(0) is None
            assert budget.held == 0

    asyncio.run(run())
