import json
from pathlib import Path


def iter_tweets(dump: Path):
    data = json.loads(dump.read_text(encoding="utf-8"))
    for tweet in data["tweets"]:
        yield tweet["id"], tweet["text"]
