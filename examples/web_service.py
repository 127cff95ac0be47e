"""A service whose cache has an answer for each address that was ever asked for, and stays inside.

    python examples/web_service.py [requests]

`app` is what a server takes (`uvicorn examples.web_service:app`); run as a program, it asks itself.

Budget: 160 MiB
"""

from __future__ import annotations

import asyncio
import sys

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import flatwater as fw
from flatwater.adapters.asgi import PressureMiddleware

PAGE_BYTES = 20_000
OK, TRY_AGAIN_LATER = 200, 503
budget = fw.Budget("80 MiB", name="pages")  # below the limit that kills: answers and libraries need room, too
pages: dict[str, str] = {}
sheds: list[int] = []


def forget(_wanted: int) -> int:
    """Under pressure all pages go, and are made anew when somebody asks: how many bytes that gives back."""
    given = sum(map(len, pages.values()))
    pages.clear()
    sheds.append(given)
    return given


handle = budget.on_pressure(forget)


async def page(request: Request) -> PlainTextResponse:
    """A page, made once for each address as long as there is room."""
    path = request.url.path
    if path not in pages:
        pages[path] = (path + " ") * (PAGE_BYTES // (len(path) + 1))
    return PlainTextResponse(pages[path])


app = Starlette(routes=[Route("/{path:path}", page)])
app.add_middleware(PressureMiddleware, budget=budget)


async def ask(requests: int) -> tuple[int, int]:
    """How many were answered, and how many were told to come later."""
    answered = later = 0
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        for number in range(requests):
            answer = await client.get(f"/item/{number}")
            answered += answer.status_code == OK
            if answer.status_code == TRY_AGAIN_LATER:
                later += 1
                await asyncio.sleep(0.01)
    return answered, later


def main(requests: int) -> None:
    """Ask, and tell."""
    answered, later = asyncio.run(ask(requests))
    print(f"{answered:,} answered, {later} told to come later; the cache was given back {len(sheds)} times")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8_000)
