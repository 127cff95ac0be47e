import gzip


def count_reads(path: str) -> int:
    with gzip.open(path, "rt") as fastq:
        return sum(1 for line in fastq) // 4


def mean_length(path: str) -> float:
    total = reads = 0
    with gzip.open(path, "rt") as fastq:
        for number, line in enumerate(fastq):
            if number % 4 == 1:
                total += len(line.rstrip("\n"))
                reads += 1
    return total / reads if reads else 0.0
