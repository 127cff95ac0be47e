from typing import Callable

HANDLERS: dict[str, Callable] = {}


def handler(kind: str):
    def register(func):
        HANDLERS[kind] = func
        return func

    return register


@handler("created")
def on_created(event: dict) -> None:
    print("created", event["id"])


@handler("deleted")
def on_deleted(event: dict) -> None:
    print("deleted", event["id"])


def dispatch(event: dict) -> None:
    HANDLERS[event["kind"]](event)
