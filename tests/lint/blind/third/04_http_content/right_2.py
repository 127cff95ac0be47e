import httpx


class WeatherClient:
    def __init__(self, api_key: str) -> None:
        self.http = httpx.Client(base_url="https://api.weather.example")
        self.api_key = api_key

    def temperature(self, station: str) -> float:
        resp = self.http.get(f"/current/{station}", params={"key": self.api_key})
        resp.raise_for_status()
        return resp.json()["temperature"]

    def healthy(self) -> bool:
        resp = self.http.get("/healthz")
        return resp.text.strip() == "ok"
