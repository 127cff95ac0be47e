import copy
import json

BASE = {"engine": "xgb", "rounds": 100, "tags": []}


def experiments(depths=(3, 5, 7)) -> list[dict]:
    out = []
    for depth in depths:
        options = copy.deepcopy(BASE)
        options["depth"] = depth
        out.append(options)
    return out


def send_each(sink, readings) -> None:
    for reading in readings:
        sink.send(json.dumps(reading))
