import copy
from typing import Callable

Handler = Callable[[dict], None]


class EventBus:
    def __init__(self) -> None:
        self._subscribers: list[Handler] = []

    def subscribe(self, handler: Handler) -> None:
        self._subscribers.append(handler)

    def publish(self, event: dict) -> None:
        for handler in self._subscribers:
            handler(copy.deepcopy(event))
