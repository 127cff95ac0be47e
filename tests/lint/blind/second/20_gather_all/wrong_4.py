import csv

import trio

from labs.upload import upload_sample


async def upload_plate_reads(csv_path: str, endpoint: str) -> None:
    with open(csv_path, newline="") as fh:
        async with trio.open_nursery() as nursery:
            for row in csv.DictReader(fh):
                nursery.start_soon(upload_sample, endpoint, row)


if __name__ == "__main__":
    trio.run(upload_plate_reads, "reads.csv", "https://lims.example.org/api")
