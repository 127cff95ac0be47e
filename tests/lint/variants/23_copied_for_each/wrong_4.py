import asyncio
from copy import deepcopy


async def fan_out(snapshot, queues):
    for q in queues:
        snap = deepcopy(snapshot)
        await q.put(snap)
    await asyncio.sleep(0)
