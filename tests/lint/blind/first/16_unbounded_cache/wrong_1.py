from functools import lru_cache

from flask import Flask, jsonify
from geopy.geocoders import Nominatim

app = Flask(__name__)
geocoder = Nominatim(user_agent="parcel-tracker")


@lru_cache(maxsize=None)
def locate(address: str) -> tuple[float, float]:
    place = geocoder.geocode(address)
    return place.latitude, place.longitude


@app.get("/locate/<address>")
def locate_view(address):
    lat, lon = locate(address)
    return jsonify(lat=lat, lon=lon)
