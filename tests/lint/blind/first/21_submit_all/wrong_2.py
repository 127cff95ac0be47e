import json
from concurrent.futures import ProcessPoolExecutor


def tokenize(line: str) -> int:
    return len(json.loads(line)["text"].split())


def corpus_length(corpus: str) -> int:
    tokens = 0
    with ProcessPoolExecutor() as pool, open(corpus, encoding="utf-8") as lines:
        for count in pool.map(tokenize, lines):
            tokens += count
    return tokens
