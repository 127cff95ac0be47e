import pandas as pd
import requests


class RatesLoader:
    def __init__(self, base):
        self.base = base
        self.frame = pd.DataFrame(columns=["day", "rate"])

    def load(self, days):
        for day in days:
            data = requests.get(f"{self.base}/{day}", timeout=10).json()
            self.frame = pd.concat([self.frame, pd.DataFrame(data)], ignore_index=True)
