from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from multiprocessing import Pool


def one(rows, work):
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(work, row) for row in rows]  # FW402
        for future in as_completed(futures):
            print(future.result())


def two(path, work):
    with open(path) as file, ProcessPoolExecutor() as pool:
        for result in pool.map(work, file):  # FW402
            print(result)


def three(items, work):
    with Pool() as pool:
        return pool.map(work, (item.key for item in items))  # FW402


def four(executor: Executor, stream, work):
    futures = {}
    for item in stream:
        futures[executor.submit(work, item)] = item  # FW402
    return futures


def five(records, work):
    with Pool(4) as pool:
        jobs = []
        for record in records:
            jobs.append(pool.apply_async(work, (record,)))  # FW402
        return [job.get() for job in jobs]
