import httpx


async def collect_answer(client: httpx.AsyncClient, prompt: str) -> str:
    answer = ""
    async with client.stream("POST", "/v1/generate", json={"prompt": prompt}) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                answer = answer + line[6:] + "\n"
    return answer
