import sqlite3

from flask import Flask, jsonify

app = Flask(__name__)
_places = None


def load_places():
    global _places
    if _places is None:
        conn = sqlite3.connect("gazetteer.db")
        _places = conn.execute("SELECT name, lat, lon, population FROM places").fetchall()
        conn.close()
    return _places


@app.get("/suggest/<prefix>")
def suggest(prefix: str):
    matches = [p for p in load_places() if p[0].startswith(prefix)]
    return jsonify(matches[:10])
