from typing import Callable


class EventEmitter:
    def __init__(self) -> None:
        self._callbacks: dict[str, list[Callable]] = {}

    def on(self, name: str, callback: Callable) -> None:
        self._callbacks.setdefault(name, []).append(callback)

    def emit(self, name: str, *args) -> None:
        for callback in self._callbacks.get(name, ()):
            callback(*args)


world = EventEmitter()


class Enemy:
    def __init__(self, hp: int) -> None:
        self.hp = hp
        world.on("explosion", self.hit)

    def hit(self, damage: int) -> None:
        self.hp -= damage


def spawn_wave(size: int) -> list[Enemy]:
    return [Enemy(hp=100) for _ in range(size)]
