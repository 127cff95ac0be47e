from cachetools import TTLCache, cached
from geopy.geocoders import Nominatim

geocoder = Nominatim(user_agent="parcel-tracker")


@cached(TTLCache(maxsize=5000, ttl=3600))
def locate(address: str) -> tuple[float, float]:
    place = geocoder.geocode(address)
    return place.latitude, place.longitude
