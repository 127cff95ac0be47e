import functools as ft

from shapely.geometry import Point, Polygon


class Parcel:
    def __init__(self, ident: int, outline: list[tuple[float, float]]):
        self.ident = ident
        self.outline = outline

    @ft.lru_cache
    def polygon(self):
        return Polygon(self.outline)

    @property
    @ft.lru_cache(maxsize=None)
    def area(self):
        return self.polygon().area

    def contains(self, lon: float, lat: float) -> bool:
        return self.polygon().contains(Point(lon, lat))
