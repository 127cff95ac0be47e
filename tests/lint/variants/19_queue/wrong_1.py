import queue
import threading

jobs = queue.Queue()


def producer(source):
    for item in source:
        jobs.put(item)


def worker(db):
    while True:
        db.insert(jobs.get())
        jobs.task_done()


def main(source, db):
    threading.Thread(target=worker, args=(db,), daemon=True).start()
    producer(source)
    jobs.join()
