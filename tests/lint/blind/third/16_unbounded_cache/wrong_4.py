from aiohttp import web

from avatars.draw import draw_identicon

_rendered: dict[tuple[str, int], bytes] = {}


async def avatar(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    size = int(request.query.get("size", 64))
    key = (name, size)
    if key not in _rendered:
        _rendered[key] = draw_identicon(name, size)
    return web.Response(body=_rendered[key], content_type="image/png")


def make_app() -> web.Application:
    app = web.Application()
    app.router.add_get("/avatar/{name}", avatar)
    return app
