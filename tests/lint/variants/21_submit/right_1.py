from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait


def process(lines, handle):
    pending = set()
    with ThreadPoolExecutor(8) as pool:
        for line in lines:
            if len(pending) >= 32:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for f in done:
                    print(f.result())
            pending.add(pool.submit(handle, line))
        wait(pending)
