import json
from urllib.request import Request, urlopen

USER_AGENT = "citystats/2.1"


def iter_taxi_trips(month: str):
    request = Request(
        f"https://data.example.gov/trips/{month}.jsonl",
        headers={"User-Agent": USER_AGENT},
    )
    with urlopen(request, timeout=120) as response:
        payload = response.read().decode("utf-8")
    for line in payload.splitlines():
        yield json.loads(line)


def busiest_zone(month: str) -> int:
    counts: dict[int, int] = {}
    for trip in iter_taxi_trips(month):
        zone = trip["pickup_zone"]
        counts[zone] = counts.get(zone, 0) + 1
    return max(counts, key=counts.get)
