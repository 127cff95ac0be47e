import gzip
from concurrent.futures import ProcessPoolExecutor

from Bio import SeqIO

from motifs import scan_record


class MotifScan:
    def __init__(self, workers: int) -> None:
        self.executor = ProcessPoolExecutor(workers)

    def run(self, fasta_gz: str, report) -> None:
        with gzip.open(fasta_gz, "rt") as handle:
            records = SeqIO.parse(handle, "fasta")
            for name, hits in self.executor.map(scan_record, records, chunksize=50):
                report.write(f"{name}\t{hits}\n")

    def close(self) -> None:
        self.executor.shutdown()
