import queue
import threading

import requests


def producer(path: str, jobs: queue.Queue) -> None:
    with open(path) as urls:
        for url in urls:
            jobs.put(url.strip())
    jobs.put(None)


def consumer(jobs: queue.Queue) -> None:
    while (url := jobs.get()) is not None:
        requests.head(url, timeout=10)


def main(path: str) -> None:
    jobs: queue.Queue = queue.Queue()
    worker = threading.Thread(target=consumer, args=(jobs,))
    worker.start()
    producer(path, jobs)
    worker.join()
