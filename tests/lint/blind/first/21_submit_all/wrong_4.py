import csv
from multiprocessing import Pool

from genome.annotate import annotate


def annotate_all(tsv: str, target: str) -> None:
    with Pool(4) as pool, open(tsv) as source, open(target, "w") as out:
        reader = csv.reader(source, delimiter="\t")
        waiting = []
        for chrom, pos, ref, alt in reader:
            waiting.append(pool.apply_async(annotate, (chrom, int(pos), ref, alt)))
        for job in waiting:
            out.write(job.get() + "\n")
