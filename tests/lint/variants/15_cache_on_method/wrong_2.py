import functools


class Document:
    def __init__(self, text):
        self.text = text

    @functools.lru_cache
    def tokens(self):
        return self.text.split()

    def __len__(self):
        return len(self.tokens())
