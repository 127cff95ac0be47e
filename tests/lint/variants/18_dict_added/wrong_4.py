class Translator:
    _cache = {}

    def __init__(self, backend):
        self.backend = backend

    def translate(self, text, lang):
        key = (text, lang)
        if key not in self._cache:
            self._cache[key] = self.backend.translate(text, lang)
        return self._cache[key]
