import threading


def run_workers(work, count: int = 4) -> None:
    threads = []
    for number in range(count):
        thread = threading.Thread(target=work, args=(number,), name=f"worker-{number}")
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    run_workers(print)
