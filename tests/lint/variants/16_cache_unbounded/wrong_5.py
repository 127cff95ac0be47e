from async_lru import alru_cache
import httpx

client = httpx.AsyncClient()


@alru_cache(maxsize=None)
async def fetch_profile(user_id: int):
    resp = await client.get(f"https://api.example.com/users/{user_id}")
    return resp.json()
