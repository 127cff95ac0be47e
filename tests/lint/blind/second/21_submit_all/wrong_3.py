import gzip
import json
from concurrent.futures import ProcessPoolExecutor

from nlp.tokens import tokenize


def read_articles(path):
    with gzip.open(path, "rt", encoding="utf-8") as fh:
        for line in fh:
            yield json.loads(line)["body"]


def count_tokens(path):
    total = 0
    with ProcessPoolExecutor() as executor:
        for tokens in executor.map(tokenize, read_articles(path)):
            total += len(tokens)
    return total
