import copy
from typing import Callable


class EventBus:
    def __init__(self) -> None:
        self.subscribers: list[Callable[[dict], None]] = []

    def subscribe(self, callback: Callable[[dict], None]) -> None:
        self.subscribers.append(callback)

    def unsubscribe(self, callback: Callable[[dict], None]) -> None:
        self.subscribers.remove(callback)

    def publish(self, event: dict) -> None:
        for callback in self.subscribers:
            callback(copy.deepcopy(event))
