from multiprocessing import Pool

from Bio import SeqIO

from genome.blast import align


def align_reads(fastq, reference, out):
    with Pool(processes=12) as pool, open(out, "w") as sam:
        results = []
        for read in SeqIO.parse(fastq, "fastq"):
            results.append(pool.apply_async(align, (str(read.seq), reference)))
        for result in results:
            sam.write(result.get() + "\n")
