import json


def write_lines(events, out):
    for event in events:
        out.write(json.dumps(event) + "\n")
