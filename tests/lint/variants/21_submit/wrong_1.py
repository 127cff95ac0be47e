from concurrent.futures import ThreadPoolExecutor, as_completed


def process_file(path, handle):
    with ThreadPoolExecutor(8) as pool, open(path) as fh:
        futures = [pool.submit(handle, line) for line in fh]
        for fut in as_completed(futures):
            print(fut.result())
