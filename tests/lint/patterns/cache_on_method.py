import functools
from functools import cache, lru_cache


class One:
    @lru_cache
    def total(self, day):  # FW301
        return day


class Two:
    @functools.lru_cache(maxsize=128)
    def price(self, name):  # FW301
        return name


class Three:
    @cache
    def lookup(self, key):  # FW301
        return key


class Four:
    def _load(self, key):
        return key

    load = lru_cache(maxsize=None)(_load)  # FW301


class Five:
    @functools.cache
    def everything(self):  # FW301
        return object()
