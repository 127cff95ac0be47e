import json
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import requests


def post(doc: dict) -> int:
    return requests.post("http://search:9200/docs/_doc", json=doc, timeout=10).status_code


def index_file(path: str) -> None:
    in_flight = set()
    with open(path) as fp, ThreadPoolExecutor(8) as pool:
        for line in fp:
            if len(in_flight) >= 32:
                done, in_flight = wait(in_flight, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
            in_flight.add(pool.submit(post, json.loads(line)))
        wait(in_flight)
