import gzip
import re

HEADER = re.compile(r"^@(?P<instrument>[^:]+):(?P<run>\d+):(?P<flowcell>[^:]+)")


def read_lengths(fastq_gz: str):
    with gzip.open(fastq_gz, "rt") as fh:
        lines = fh.readlines()
    for i in range(0, len(lines), 4):
        match = HEADER.match(lines[i])
        flowcell = match.group("flowcell") if match else None
        yield flowcell, len(lines[i + 1].rstrip())


def mean_length(fastq_gz: str) -> float:
    total = n = 0
    for _, length in read_lengths(fastq_gz):
        total += length
        n += 1
    return total / n if n else 0.0
