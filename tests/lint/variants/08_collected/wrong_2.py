import csv


def transform(reader, out_path):
    out = []
    with open(reader, newline="") as src:
        for record in csv.DictReader(src):
            record["amount"] = int(record["amount"]) / 100
            out.append(record)
    with open(out_path, "w", newline="") as dst:
        w = csv.DictWriter(dst, fieldnames=out[0].keys())
        w.writeheader()
        w.writerows(out)
