import functools


class Matcher:
    def __init__(self, patterns):
        self.patterns = patterns
        self.match = functools.lru_cache(maxsize=None)(self._match)

    def _match(self, text):
        return [p for p in self.patterns if p.search(text)]
