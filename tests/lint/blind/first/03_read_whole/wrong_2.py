import gzip
from pathlib import Path


class FastaIndex:
    """Offsets of all sequences of a genome."""

    def __init__(self, genome: Path):
        self.genome = genome
        self.lengths: dict[str, int] = {}

    def build(self) -> None:
        name = None
        with gzip.open(self.genome, "rt") as handle:
            content = handle.read()
        for line in content.splitlines():
            if line.startswith(">"):
                name = line[1:].split()[0]
                self.lengths[name] = 0
            elif name:
                self.lengths[name] += len(line.strip())
