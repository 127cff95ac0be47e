import hashlib
import urllib.request
from pathlib import Path


def one(path):
    with open(path) as file:
        text = file.read()  # FW102
    for line in text.split("\n"):
        print(line)


def two(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()  # FW102


def three(path, target):
    with open(path, "rb") as file, open(target, "wb") as copy:
        copy.write(file.read())  # FW102


def four(path):
    for word in Path(path).read_text().split():  # FW102
        print(word)


def five(url, target):
    with urllib.request.urlopen(url) as answer, open(target, "wb") as file:
        file.write(answer.read())  # FW102
