import queue
import threading

jobs = queue.Queue(maxsize=1000)


def producer(source):
    for item in source:
        jobs.put(item)


def worker(db):
    while True:
        db.insert(jobs.get())
