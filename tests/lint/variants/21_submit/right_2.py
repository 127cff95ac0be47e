from concurrent.futures import ThreadPoolExecutor


def warm_up(load):
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(load, name) for name in ("users", "rates", "zones")]
        return [f.result() for f in futures]
