import json
from pathlib import Path

SETTINGS = Path.home() / ".config" / "fleet" / "settings.json"


def enabled_plugins() -> list[str]:
    with SETTINGS.open() as handle:
        settings = json.load(handle)
    names = []
    for name, options in settings["plugins"].items():
        if options.get("enabled"):
            names.append(name)
    return names
