import aiohttp
from aiohttp import web

routes = web.RouteTableDef()


@routes.post("/upload/{name}")
async def upload(request: web.Request) -> web.Response:
    reader = await request.multipart()
    part = await reader.next()
    body = b""
    while chunk := await part.read_chunk(65536):
        body = body + chunk
    async with aiohttp.ClientSession() as session:
        url = f"http://storage/{request.match_info['name']}"
        async with session.put(url, data=body) as resp:
            return web.json_response({"status": resp.status, "size": len(body)})
