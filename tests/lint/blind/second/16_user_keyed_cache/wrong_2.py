from functools import cache

import requests
from flask import Flask, jsonify, request

app = Flask(__name__)
GEOCODER = "https://geo.example.org/reverse"


@cache
def reverse_geocode(lat, lon):
    reply = requests.get(GEOCODER, params={"lat": lat, "lon": lon}, timeout=5)
    reply.raise_for_status()
    return reply.json()["display_name"]


@app.route("/where")
def where():
    lat = float(request.args["lat"])
    lon = float(request.args["lon"])
    return jsonify(address=reverse_geocode(lat, lon))
