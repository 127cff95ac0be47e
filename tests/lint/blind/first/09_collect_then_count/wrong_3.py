from Bio import SeqIO


def mapped_fraction(fastq: str, minimum: int) -> float:
    kept = []
    dropped = []
    for record in SeqIO.parse(fastq, "fastq"):
        quality = record.letter_annotations["phred_quality"]
        if min(quality) >= minimum:
            kept.append(record)
        else:
            dropped.append(record)
    return len(kept) / (len(kept) + len(dropped))
