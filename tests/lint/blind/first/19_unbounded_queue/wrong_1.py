import csv
import queue
import threading

from geo.reverse import reverse_geocode


def enrich(trips_csv: str, workers: int = 4) -> None:
    todo = queue.Queue()

    def work() -> None:
        while True:
            trip = todo.get()
            if trip is None:
                return
            reverse_geocode(trip["lat"], trip["lon"])

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    with open(trips_csv, newline="") as handle:
        for trip in csv.DictReader(handle):
            todo.put(trip)
    for _ in threads:
        todo.put(None)
    for thread in threads:
        thread.join()
