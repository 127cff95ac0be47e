import gzip

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def reverse_complement(fasta_gz: str) -> str:
    sequence = ""
    with gzip.open(fasta_gz, "rt") as genome:
        for line in genome:
            if not line.startswith(">"):
                sequence += line.strip()
    return sequence.translate(COMPLEMENT)[::-1]
