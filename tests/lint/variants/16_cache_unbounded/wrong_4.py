import functools


def normalise(url):
    return url.split("#")[0].rstrip("/").lower()


normalise_cached = functools.lru_cache(maxsize=None)(normalise)


def crawl(frontier):
    for url in frontier:
        yield normalise_cached(url)
