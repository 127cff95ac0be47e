import threading
from typing import Callable


def run_workers(target: Callable[[int], None], count: int = 4) -> None:
    threads = []
    for index in range(count):
        thread = threading.Thread(target=target, args=(index,))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()


class Signal:
    def __init__(self) -> None:
        self._slots: list[Callable] = []

    def connect(self, slot: Callable) -> Callable[[], None]:
        self._slots.append(slot)
        return lambda: self._slots.remove(slot)

    def emit(self, *args) -> None:
        for slot in list(self._slots):
            slot(*args)
