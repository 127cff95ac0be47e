from collections import OrderedDict

_cache = OrderedDict()
MAX = 1000


def remember(key, value):
    _cache[key] = value
    _cache.move_to_end(key)
    while len(_cache) > MAX:
        _cache.popitem(last=False)
