import pandas as pd


class LabResults:
    def __init__(self, path):
        self.path = path

    def abnormal(self, low, high):
        chunks = pd.read_csv(self.path, chunksize=10_000, parse_dates=["taken_at"])
        frames = [c[(c["value"] < low) | (c["value"] > high)] for c in chunks]
        return pd.concat(frames)

    def save(self, target, low, high):
        self.abnormal(low, high).to_csv(target, index=False)
