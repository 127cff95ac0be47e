import threading
import time
from collections import deque

import serial


class SensorBridge:
    def __init__(self, port: str, publish) -> None:
        self.port = serial.Serial(port, 115200)
        self.publish = publish
        self.backlog = deque()

    def listen(self) -> None:
        while True:
            self.backlog.append(self.port.readline())

    def forward(self) -> None:
        while True:
            if not self.backlog:
                time.sleep(0.05)
                continue
            self.publish(self.backlog.popleft())

    def start(self) -> None:
        for target in (self.listen, self.forward):
            threading.Thread(target=target, daemon=True).start()
