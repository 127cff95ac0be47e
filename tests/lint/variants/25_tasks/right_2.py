class EventBus:
    def __init__(self):
        self._listeners = []

    def subscribe(self, callback):
        self._listeners.append(callback)

        def unsubscribe():
            self._listeners.remove(callback)

        return unsubscribe

    def emit(self, event):
        for cb in self._listeners:
            cb(event)
