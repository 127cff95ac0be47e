import argparse

import pandas


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("input")
    ap.add_argument("output")
    args = ap.parse_args()
    table = pandas.read_csv(args.input, sep="\t", dtype=str)
    with open(args.output, "w") as out:
        for rec in table.to_dict("records"):
            out.write(rec["name"].strip().lower() + "\n")


if __name__ == "__main__":
    main()
