import json
from typing import Iterator


def read_requests(path: str) -> Iterator[dict]:
    with open(path) as log:
        for line in log:
            yield json.loads(line)


def slowest(path: str, count: int) -> None:
    by_time = sorted(read_requests(path), key=lambda r: r["duration_ms"])[-count:]
    for request in by_time:
        print(f"{request['duration_ms']:8.1f} {request['path']}")


def fastest(path: str) -> dict:
    return sorted(read_requests(path), key=lambda r: r["duration_ms"])[0]
