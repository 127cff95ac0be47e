import logging
import threading
from queue import SimpleQueue

import requests


class HttpLogHandler(logging.Handler):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.records: SimpleQueue = SimpleQueue()
        self.session = requests.Session()
        threading.Thread(target=self._ship, daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.put(self.format(record))

    def _ship(self) -> None:
        while True:
            line = self.records.get()
            self.session.post(self.url, data=line.encode(), timeout=5)
