import multiprocessing as mp
from concurrent.futures import ThreadPoolExecutor

HOSTS = ("db1", "db2", "web1", "web2")


def ping(host: str) -> bool:
    return bool(host)


def backup(volume: str) -> None:
    print("backup", volume)


def run() -> None:
    with ThreadPoolExecutor(4) as pool:
        alive = list(pool.map(ping, HOSTS))
        futures = [pool.submit(backup, v) for v in ("home", "var", "srv")]
        for future in futures:
            future.result()
    print(alive, mp.cpu_count())
