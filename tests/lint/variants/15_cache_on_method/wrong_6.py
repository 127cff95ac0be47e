from functools import lru_cache

memo = lru_cache(maxsize=4096)


class Session:
    def __init__(self, user, payload):
        self.user = user
        self.payload = payload

    @memo
    def permissions(self, resource):
        return self.user.resolve(resource, self.payload)
