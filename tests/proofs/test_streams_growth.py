"""Flows over streams in fresh processes: flat, however many items come; the same flow, whose items are kept, grows."""

from __future__ import annotations

import pytest

import flatwater as fw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def through_a_queue(n, keep):
    """A thread puts items, as fast as the flow takes them."""
    import queue
    import threading

    from flatwater.pipeline.flow import Flow

    jobs = queue.Queue(maxsize=100)

    def put():
        for at in range(n):
            jobs.put(b"%0256d" % at)
        jobs.put(None)

    threading.Thread(target=put).start()
    Flow(jobs).map(bytes.lower).each(keep).run()


def through_a_loop(n, keep):
    """An asynchronous generator that never waits is held back by the flow."""
    import asyncio

    from flatwater.pipeline.flow import Flow

    async def source():
        for at in range(n):
            yield b"%0256d" % at

    asyncio.run(Flow(source).map(bytes.lower).each(keep).arun())


WAYS = {each.__name__: each for each in (through_a_queue, through_a_loop)}


def proof_of(way, *, kept, sizes):
    work = WAYS[way]

    def scenario(n):
        held = []
        work(n, held.append if kept else id)

    return fw.prove(scenario, sizes=sizes, metric="anon", resolution="16 B")


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_is_flat(way):
    """However many items come, the flow holds its few batches."""
    proof = proof_of(way, kept=False, sizes="8k..128k")
    assert (proof.verdict, proof.outcome) == ("constant", "holds"), str(proof)


@pytest.mark.parametrize("way", WAYS)
def test_its_leaking_twin_is_rejected(way):
    """The same stream whose items are kept is found to grow."""
    proof = proof_of(way, kept=True, sizes="2k..32k")
    assert (proof.verdict, proof.outcome) == ("grows", "fails"), str(proof)
