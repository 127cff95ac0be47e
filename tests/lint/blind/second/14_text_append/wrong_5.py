import httpx

from assistant.config import MIRROR_URL


async def mirror_corpus(path: str) -> None:
    text = ""
    async with httpx.AsyncClient(timeout=None) as client:
        async with client.stream("GET", MIRROR_URL) as response:
            async for piece in response.aiter_text():
                text = text + piece
    with open(path, "w", encoding="utf-8") as fh:
        fh.write(text)
