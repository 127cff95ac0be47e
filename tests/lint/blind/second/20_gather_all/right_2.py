import asyncio
from itertools import islice

WIDTH = 16


async def convert_all(path: str, convert) -> int:
    done = 0
    with open(path) as fh:
        while batch := list(islice(fh, WIDTH)):
            await asyncio.gather(*(convert(line.strip()) for line in batch))
            done += len(batch)
    return done
