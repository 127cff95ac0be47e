from collections import deque
import threading


class LogShipper(threading.Thread):
    def __init__(self, transport):
        super().__init__(daemon=True)
        self.pending = deque()
        self.transport = transport

    def emit(self, record):
        self.pending.append(record)

    def run(self):
        while True:
            if self.pending:
                self.transport.send(self.pending.popleft())
