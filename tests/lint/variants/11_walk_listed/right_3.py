import os
from itertools import islice


def first_entries(path):
    with os.scandir(path) as it:
        return list(islice(it, 10))


def has_python(path):
    return any(e.name.endswith(".py") for e in os.scandir(path))
