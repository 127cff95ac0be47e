from aiohttp import web


async def upload_scan(request: web.Request) -> web.Response:
    reader = await request.multipart()
    part = await reader.next()
    image = bytearray()
    while True:
        chunk = await part.read_chunk()
        if not chunk:
            break
        image += chunk
    await request.app["store"].put(part.filename, bytes(image))
    return web.json_response({"bytes": len(image)})


def make_app(store) -> web.Application:
    app = web.Application()
    app["store"] = store
    app.router.add_post("/scans", upload_scan)
    return app
