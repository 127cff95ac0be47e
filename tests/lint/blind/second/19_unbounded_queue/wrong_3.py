import multiprocessing as mp

from imaging.detect import detect


def produce(paths_file, tasks):
    with open(paths_file) as fh:
        for line in fh:
            tasks.put(line.strip())
    tasks.put(None)


def consume(tasks):
    for path in iter(tasks.get, None):
        detect(path)


if __name__ == "__main__":
    tasks = mp.Queue()
    worker = mp.Process(target=consume, args=(tasks,))
    worker.start()
    produce("/data/images.txt", tasks)
    worker.join()
