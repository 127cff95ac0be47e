import copy
import threading
from typing import Callable

Listener = Callable[[dict], None]


class MarketDataBus:
    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()

    def subscribe(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.append(listener)

    def unsubscribe(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.remove(listener)

    def publish(self, book: dict) -> None:
        with self._lock:
            for listener in self._listeners:
                listener(copy.deepcopy(book))
