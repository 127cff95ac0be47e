class EventBus:
    def __init__(self):
        self._listeners = []

    def subscribe(self, callback):
        self._listeners.append(callback)

    def emit(self, event):
        for cb in self._listeners:
            cb(event)


bus = EventBus()


class Widget:
    def __init__(self, model):
        self.model = model
        bus.subscribe(self.on_event)

    def on_event(self, event):
        self.model.update(event)
