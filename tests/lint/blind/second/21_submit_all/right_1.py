from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

LIMIT = 64


def process_file(path: str, work) -> int:
    done_count = 0
    pending = set()
    with ThreadPoolExecutor(max_workers=8) as executor, open(path) as fh:
        for line in fh:
            if len(pending) >= LIMIT:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                done_count += len(done)
            pending.add(executor.submit(work, line.rstrip("\n")))
        done, pending = wait(pending)
        done_count += len(done)
    return done_count
