import pandas as pd


class SettlementReader:
    def __init__(self, path: str, chunksize: int = 100_000) -> None:
        self.path = path
        self.chunksize = chunksize

    def load(self) -> pd.DataFrame:
        reader = pd.read_csv(self.path, chunksize=self.chunksize, dtype={"mpan": "string"})
        parts = [chunk[chunk["kwh"] > 0] for chunk in reader]
        return pd.concat(parts, ignore_index=True)

    def export(self, target: str) -> None:
        self.load().to_csv(target, index=False)
