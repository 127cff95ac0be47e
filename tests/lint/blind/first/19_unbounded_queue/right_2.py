import queue
import threading
from collections import deque


class Progress:
    def __init__(self) -> None:
        self.recent = deque(maxlen=50)
        self.outcome: queue.Queue = queue.Queue(1)

    def start(self, job) -> None:
        def work() -> None:
            self.outcome.put(job(self.recent.append))

        threading.Thread(target=work).start()

    def wait(self):
        return self.outcome.get()
