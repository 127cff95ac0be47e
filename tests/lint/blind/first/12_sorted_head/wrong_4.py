import pysam


def deepest_positions(bam: str, contig: str) -> list[tuple[int, int]]:
    with pysam.AlignmentFile(bam, "rb") as alignment:
        depth = [(col.pos, col.n) for col in alignment.pileup(contig)]
    depth.sort(key=lambda d: d[1], reverse=True)
    return depth[:50]
