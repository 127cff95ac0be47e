import gzip
import json


def count_failures(archive: str) -> int:
    failures = 0
    with gzip.open(archive, "rt", encoding="utf-8") as lines:
        for line in lines:
            if json.loads(line)["result"] == "FAILURE":
                failures += 1
    return failures
