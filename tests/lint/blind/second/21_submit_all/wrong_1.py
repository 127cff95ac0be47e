import csv
from concurrent.futures import ThreadPoolExecutor, as_completed

from geo.api import geocode


def geocode_file(src: str, dst: str) -> None:
    with ThreadPoolExecutor(max_workers=16) as executor, open(src, newline="") as fin:
        futures = [executor.submit(geocode, row["address"]) for row in csv.DictReader(fin)]
        with open(dst, "w", newline="") as fout:
            writer = csv.writer(fout)
            for future in as_completed(futures):
                writer.writerow(future.result())
