import threading


def run_workers(work, count: int = 4) -> None:
    threads = []
    for number in range(count):
        thread = threading.Thread(target=work, args=(number,))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()


class Hooks:
    def __init__(self) -> None:
        self._hooks = []

    def add(self, hook) -> None:
        self._hooks.append(hook)

    def remove(self, hook) -> None:
        self._hooks.remove(hook)
