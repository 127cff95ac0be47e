from functools import cache


class GeoResolver:
    def __init__(self, reader):
        self.reader = reader

    @cache
    def country(self, ip: str) -> str:
        return self.reader.lookup(ip)["country"]
