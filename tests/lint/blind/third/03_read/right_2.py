import gzip
from collections import Counter


def is_png(path: str) -> bool:
    with open(path, "rb") as f:
        return f.read(8) == b"\x89PNG\r\n\x1a\n"


def count_chromosomes(vcf_gz: str) -> Counter:
    seen: Counter = Counter()
    with gzip.open(vcf_gz, "rt") as vcf:
        for line in vcf:
            if line.startswith("#"):
                continue
            chrom, _, _ = line.partition("\t")
            seen[chrom] += 1
    return seen
