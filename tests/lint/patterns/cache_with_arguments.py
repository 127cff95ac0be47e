import functools
from functools import cache, lru_cache


@lru_cache(maxsize=None)  # FW302
def one(url):
    return url


@cache  # FW302
def two(user_id, day):
    return user_id, day


@functools.lru_cache(None)  # FW302
def three(*names):
    return names


@functools.cache  # FW302
def four(text: str) -> list[str]:
    return text.split()


def _slow(key):
    return key


five = functools.lru_cache(maxsize=None)(_slow)  # FW302
