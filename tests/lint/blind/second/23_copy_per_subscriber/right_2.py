import json
from copy import deepcopy

DEFAULTS = {"retries": 3, "timeout": 10, "headers": {"Accept": "application/json"}}


def settings_for(overrides: dict) -> dict:
    merged = deepcopy(DEFAULTS)
    merged.update(overrides)
    return merged


def write_events(events, path: str) -> None:
    with open(path, "w") as fh:
        for event in events:
            fh.write(json.dumps(event) + "\n")
