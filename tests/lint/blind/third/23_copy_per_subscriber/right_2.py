import copy
from types import MappingProxyType

DEFAULTS = {"retries": 3, "backoff": [1, 2, 4]}


class ConfigBus:
    def __init__(self) -> None:
        self.listeners = []

    def add(self, listener) -> None:
        self.listeners.append(listener)

    def remove(self, listener) -> None:
        self.listeners.remove(listener)

    def publish(self, config: dict) -> None:
        view = MappingProxyType(copy.deepcopy(config))
        for listener in self.listeners:
            listener(view)


def new_settings() -> dict:
    return copy.deepcopy(DEFAULTS)
