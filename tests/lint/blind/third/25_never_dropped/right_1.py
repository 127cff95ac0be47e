import asyncio

from aiohttp import web

running: set[asyncio.Task] = set()


async def rebuild(site: str) -> None:
    proc = await asyncio.create_subprocess_exec("make", "-C", site)
    await proc.wait()


async def trigger(request: web.Request) -> web.Response:
    task = asyncio.create_task(rebuild(request.match_info["site"]))
    running.add(task)
    task.add_done_callback(running.discard)
    return web.Response(status=202)


app = web.Application()
app.router.add_post("/rebuild/{site}", trigger)
