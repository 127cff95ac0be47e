"""A web service whose cache keeps a page for each path that was ever asked for: `python service.py PORT SIZE BUDGET [keep]`; "-" for no budget.

With a budget the cache is registered to be shed, and the middleware stands in front; with "keep" nobody can empty it, so that requests have to be refused;
without a budget it is what people write.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def main(port: int, page_bytes: int, budget: str, keep: str = "") -> None:
    """Serve until it is ended."""
    pages: dict[str, bytes] = {}

    async def page(request: Request) -> PlainTextResponse:
        path = request.url.path
        if path not in pages:
            pages[path] = path.encode().ljust(page_bytes, b".")
        return PlainTextResponse(pages[path][:100])

    app: Any = Starlette(routes=[Route("/{path:path}", page)])
    if budget != "-":
        import flatwater as fw
        from flatwater.adapters.asgi import PressureMiddleware

        promised = fw.Budget(budget, name="service")

        def forget(_wanted: int) -> int:
            freed = sum(map(len, pages.values()))
            pages.clear()
            return freed

        handle = None if keep else promised.on_pressure(forget, "pages")
        app = PressureMiddleware(app, budget=promised, retry_after_s=1)
        app.handle = handle
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
