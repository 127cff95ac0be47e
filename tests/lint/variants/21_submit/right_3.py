from concurrent.futures import ThreadPoolExecutor
from itertools import batched


def process(rows, handle):
    with ThreadPoolExecutor(8) as pool:
        for group in batched(rows, 100):
            futures = [pool.submit(handle, row) for row in group]
            for f in futures:
                f.result()
