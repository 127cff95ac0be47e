from flask import Flask, jsonify
from flatwater import clear_pools as drop_pools

from maps.tiles import render_tile

app = Flask(__name__)


@app.get("/tile/<int:z>/<int:x>/<int:y>")
def tile(z, x, y):
    return jsonify(render_tile(z, x, y))


@app.teardown_request
def after(exc):
    drop_pools()
