import gzip


def gc_content(fasta_gz: str) -> float:
    gc = total = 0
    with gzip.open(fasta_gz, "rt") as fasta:
        for line in fasta:
            if line.startswith(">"):
                continue
            line = line.strip().upper()
            gc += line.count("G") + line.count("C")
            total += len(line)
    return gc / total if total else 0.0
