import sys


def fasta_lengths(path):
    with open(path) as fasta:
        records = fasta.read().split(">")
    for record in records[1:]:
        header, _, sequence = record.partition("\n")
        name = header.split()[0]
        yield name, len(sequence.replace("\n", ""))


def main(argv):
    total = 0
    for name, length in fasta_lengths(argv[1]):
        print(f"{name}\t{length}")
        total += length
    print(f"total\t{total}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv)
