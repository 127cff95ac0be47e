import queue
import threading


def pump(lines, handle, depth: int = 256) -> None:
    pending: queue.Queue = queue.Queue(maxsize=depth)

    def work() -> None:
        while (line := pending.get()) is not None:
            handle(line)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for line in lines:
            pending.put(line)
    finally:
        pending.put(None)
        worker.join()
