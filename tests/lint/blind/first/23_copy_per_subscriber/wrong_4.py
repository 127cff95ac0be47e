import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import redis


def notify(hooks: list[str], build: dict) -> None:
    for hook in hooks:
        parts = urlsplit(hook)
        connection = HTTPConnection(parts.netloc, timeout=5)
        connection.request("POST", parts.path, body=json.dumps(build).encode())
        connection.getresponse().read(0)
        connection.close()


def fan_out(r: redis.Redis, channels: list[str], build: dict) -> None:
    for channel in channels:
        r.publish(channel, json.dumps(build, sort_keys=True))
