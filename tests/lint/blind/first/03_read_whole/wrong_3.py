import json
from argparse import ArgumentParser
from pathlib import Path

from elasticsearch import Elasticsearch


def load_events(dump: Path, index: str, es: Elasticsearch) -> int:
    n = 0
    for line in dump.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        es.index(index=index, id=event["id"], document=event)
        n += 1
    return n


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("dump", type=Path)
    parser.add_argument("--index", default="events")
    args = parser.parse_args()
    print(load_events(args.dump, args.index, Elasticsearch("http://localhost:9200")))
