import pandas as pd


class ParquetReplayer:
    def __init__(self, files, producer):
        self.files = files
        self.producer = producer

    def replay(self):
        for name in self.files:
            frame = pd.read_parquet(name)
            for record in frame.itertuples(index=False):
                self.producer.send("events", record._asdict())
