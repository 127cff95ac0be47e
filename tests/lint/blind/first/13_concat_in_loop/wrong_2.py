import pandas as pd
import requests


class CandleLoader:
    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.candles = None

    def load(self, start: int, stop: int) -> None:
        cursor = start
        while cursor < stop:
            payload = requests.get(
                "https://api.exchange.example/klines",
                params={"symbol": self.symbol, "startTime": cursor},
                timeout=10,
            ).json()
            frame = pd.DataFrame(payload, columns=["t", "o", "h", "l", "c", "v"])
            self.candles = frame if self.candles is None else pd.concat([self.candles, frame])
            cursor = int(frame["t"].max()) + 1
