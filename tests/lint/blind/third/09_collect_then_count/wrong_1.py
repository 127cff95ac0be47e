import gzip


def count_variants(vcf_path: str, min_quality: float) -> int:
    passing = []
    with gzip.open(vcf_path, "rt") as vcf:
        for line in vcf:
            if line.startswith("#"):
                continue
            fields = line.rstrip("\n").split("\t")
            if fields[5] != "." and float(fields[5]) >= min_quality:
                passing.append(fields)
    return len(passing)
