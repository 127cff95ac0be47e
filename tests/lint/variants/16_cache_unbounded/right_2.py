from functools import lru_cache


@lru_cache(maxsize=1024)
def geocode(address):
    return address.upper()


@lru_cache
def slug(title: str) -> str:
    return title.lower().replace(" ", "-")
