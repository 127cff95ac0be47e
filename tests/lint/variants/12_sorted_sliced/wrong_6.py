import heapq
import json


def biggest_events(path):
    with open(path) as lines:
        events = [json.loads(line) for line in lines]
    events.sort(key=lambda e: e["size"], reverse=True)
    return events[:100]
