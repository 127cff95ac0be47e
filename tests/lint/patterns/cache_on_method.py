import functools
from functools import cache, lru_cache


class One:
    @lru_cache  # FW301
    def total(self, day):
        return day


class Two:
    @functools.lru_cache(maxsize=128)  # FW301
    def price(self, name):
        return name


class Three:
    @cache  # FW301
    def lookup(self, key):
        return key


class Four:
    def _load(self, key):
        return key

    load = lru_cache(maxsize=None)(_load)  # FW301


class Five:
    @functools.cache  # FW301
    def everything(self):
        return object()
