from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait


def convert_all(paths, convert, limit: int = 32) -> int:
    done_count = 0
    running = set()
    with ThreadPoolExecutor(8) as executor:
        for path in paths:
            if len(running) >= limit:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                done_count += len(done)
            running.add(executor.submit(convert, path))
        done, _ = wait(running)
    return done_count + len(done)
