import gzip
from pathlib import Path


def one(path):
    with open(path) as file:
        for line in file.readlines():  # FW102
            print(line)


def two(path):
    lines = open(path).readlines()  # FW102
    for line in lines:
        print(line)


def three(path):
    for line in Path(path).read_text().splitlines():  # FW102
        print(line)


def four(path):
    with gzip.open(path, "rt") as file:
        return [line.split()[0] for line in file.readlines()]  # FW102


class Log:
    def __init__(self, path):
        self.file = open(path)

    def five(self):
        for number, line in enumerate(self.file.readlines()):  # FW102
            print(number, line)
