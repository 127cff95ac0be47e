import httpx


class BuildStatus:
    def __init__(self, base_url: str, token: str) -> None:
        self.client = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=10.0,
        )

    def state(self, build_id: int) -> str:
        response = self.client.get(f"/builds/{build_id}/state")
        if response.status_code == 404:
            return "unknown"
        if response.is_error:
            raise RuntimeError(f"{response.status_code}: {response.text[:200]}")
        return response.json()["state"]

    def close(self) -> None:
        self.client.close()
