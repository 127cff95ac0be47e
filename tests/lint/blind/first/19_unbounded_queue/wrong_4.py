from multiprocessing import Process, Queue

import pysam


def align(reads: Queue, results: Queue) -> None:
    for sequence in iter(reads.get, None):
        results.put(len(sequence))


def run(bam: str, workers: int) -> None:
    reads = Queue()
    results = Queue()
    crew = [Process(target=align, args=(reads, results)) for _ in range(workers)]
    for process in crew:
        process.start()
    with pysam.AlignmentFile(bam) as source:
        for read in source:
            reads.put(read.query_sequence)
    for _ in crew:
        reads.put(None)
    for process in crew:
        process.join()
