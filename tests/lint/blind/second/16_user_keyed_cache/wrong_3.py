import functools

from aiohttp import web

from docs.render import markdown_to_html


def memoize(func):
    seen = {}

    @functools.wraps(func)
    def wrapper(*args):
        if args not in seen:
            seen[args] = func(*args)
        return seen[args]

    return wrapper


@memoize
def render(source: str) -> str:
    return markdown_to_html(source)


async def preview(request: web.Request) -> web.Response:
    form = await request.post()
    return web.Response(text=render(form["text"]), content_type="text/html")


app = web.Application()
app.router.add_post("/preview", preview)
