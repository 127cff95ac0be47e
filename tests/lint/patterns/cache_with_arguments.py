import functools
from functools import cache, lru_cache


@lru_cache(maxsize=None)
def one(url):  # FW302
    return url


@cache
def two(user_id, day):  # FW302
    return user_id, day


@functools.lru_cache(None)
def three(*names):  # FW302
    return names


@functools.cache
def four(text: str) -> list[str]:  # FW302
    return text.split()


def _slow(key):
    return key


five = functools.lru_cache(maxsize=None)(_slow)  # FW302
