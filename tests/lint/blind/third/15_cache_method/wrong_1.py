from functools import lru_cache

from geopy.geocoders import Nominatim


class AddressResolver:
    def __init__(self, agent: str) -> None:
        self._geocoder = Nominatim(user_agent=agent)

    @lru_cache(maxsize=None)
    def locate(self, address: str):
        location = self._geocoder.geocode(address)
        if location is None:
            return None
        return location.latitude, location.longitude

    def route_points(self, stops: list[str]):
        return [self.locate(stop) for stop in stops]
