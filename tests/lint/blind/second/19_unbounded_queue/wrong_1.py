import csv
import queue
import threading

from warehouse.client import upload

rows = queue.Queue()


def reader(path):
    with open(path, newline="") as fh:
        for row in csv.reader(fh):
            rows.put(row)
    rows.put(None)


def writer():
    while (row := rows.get()) is not None:
        upload(row)


def main(path):
    consumer = threading.Thread(target=writer)
    consumer.start()
    reader(path)
    consumer.join()
