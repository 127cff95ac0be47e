from functools import cache


@cache
def config_path() -> str:
    import os

    return os.environ.get("FLEET_CONFIG", "/etc/fleet.toml")


class Fleet:
    def __init__(self) -> None:
        self.path = config_path()

    def describe(self) -> str:
        return f"fleet configured by {self.path}"
