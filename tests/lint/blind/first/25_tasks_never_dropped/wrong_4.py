import weakref

from PySide6.QtCore import QObject, Signal

LISTENERS = []


class Document(QObject):
    changed = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class Editor:
    def __init__(self, document: Document) -> None:
        self.document = weakref.ref(document)
        LISTENERS.append(self.on_change)

    def on_change(self, text: str) -> None:
        print(self.document().name, len(text))


def emit(text: str) -> None:
    for listener in LISTENERS:
        listener(text)
