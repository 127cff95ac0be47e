import csv
import sqlite3


def load_kmers(path, db_path):
    conn = sqlite3.connect(db_path)
    records = []
    with open(path, newline="") as fh:
        for line in csv.reader(fh, delimiter="\t"):
            kmer, count = line[0], int(line[1])
            if count > 1:
                records.append((kmer, count))
    with conn:
        conn.executemany("INSERT INTO kmers (kmer, n) VALUES (?, ?)", records)
    conn.close()
