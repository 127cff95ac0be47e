import csv
import sqlite3


def one(path):
    with open(path) as file:
        return sum([len(line) for line in file])  # FW205


def two(path):
    return max([row[0] for row in sqlite3.connect(path).execute("SELECT a FROM t")])  # FW205


def three(path):
    with open(path) as file:
        return any([record["bad"] == "1" for record in csv.DictReader(file)])  # FW205


def four(path):
    with open(path) as file:
        return len([line for line in file if line.strip()])  # FW205


def five(path):
    with open(path) as file, open(path + ".copy", "w") as copy:
        copy.writelines([line.lower() for line in file])  # FW205
