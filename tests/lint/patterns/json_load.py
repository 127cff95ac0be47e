import json
from pathlib import Path


def one(path):
    with open(path) as file:
        for item in json.load(file):  # FW103
            print(item)


def two(path):
    with open(path) as file:
        items = json.load(file)  # FW103
    for item in items:
        print(item)


def three(path):
    data = json.load(open(path))  # FW103
    for feature in data["features"]:
        print(feature)


def four(path):
    return [item["id"] for item in json.loads(Path(path).read_text())]  # FW103


def five(path):
    with open(path) as file:
        data = json.load(file)  # FW103
    for key, value in data.items():
        print(key, value)
