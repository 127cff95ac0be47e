import csv
import io

import requests

EXPORT_URL = "https://api.example.com/v2/export/transactions.csv"


class TransactionFeed:
    def __init__(self, token):
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def __iter__(self):
        resp = self.session.get(EXPORT_URL)
        reader = csv.DictReader(io.StringIO(resp.text))
        for row in reader:
            yield row
