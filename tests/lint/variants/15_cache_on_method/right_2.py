from functools import lru_cache


@lru_cache
def settings():
    return {"debug": False}


class App:
    def settings(self):
        return settings()
