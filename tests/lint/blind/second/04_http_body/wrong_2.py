from pathlib import Path

import httpx


class ModelHub:
    def __init__(self, base_url: str, cache_dir: Path) -> None:
        self.http = httpx.AsyncClient(base_url=base_url, timeout=None)
        self.cache_dir = cache_dir

    async def fetch_weights(self, name: str, revision: str = "main") -> Path:
        target = self.cache_dir / name / revision / "weights.safetensors"
        if target.exists():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        response = await self.http.get(f"/models/{name}/{revision}/weights.safetensors")
        response.raise_for_status()
        target.write_bytes(response.content)
        return target
