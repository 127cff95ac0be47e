from typing import Callable


class ConfigStore:
    _listeners: list[Callable[[str, object], None]] = []

    def __init__(self):
        self.values = {}

    def set(self, key, value):
        self.values[key] = value
        for listener in self._listeners:
            listener(key, value)

    def on_change(self, listener):
        self._listeners.append(listener)


store = ConfigStore()


class RequestContext:
    def __init__(self, request):
        self.request = request
        self.locale = store.values.get("locale", "en")
        store.on_change(self._changed)

    def _changed(self, key, value):
        if key == "locale":
            self.locale = value
