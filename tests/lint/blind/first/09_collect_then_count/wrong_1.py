import gzip
import json


def count_failures(archive: str) -> int:
    """How many builds of the CI archive failed?"""
    failures = []
    with gzip.open(archive, "rt", encoding="utf-8") as lines:
        for line in lines:
            build = json.loads(line)
            if build["result"] == "FAILURE":
                failures.append(build)
    return len(failures)
