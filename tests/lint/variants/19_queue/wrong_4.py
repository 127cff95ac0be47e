from multiprocessing import Process, Queue


def reader(path, q):
    with open(path) as fh:
        for line in fh:
            q.put(line)
    q.put(None)


def run(path, handle):
    q = Queue()
    Process(target=reader, args=(path, q)).start()
    while (line := q.get()) is not None:
        handle(line)
