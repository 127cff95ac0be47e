import logging
import time

from flask import Flask, g, request

logger = logging.getLogger(__name__)
app = Flask(__name__)
_timings = {}


@app.before_request
def start_timer():
    g.started = time.perf_counter()


@app.after_request
def record(response):
    elapsed = time.perf_counter() - g.started
    if request.full_path in _timings:
        _timings[request.full_path].append(elapsed)
    else:
        _timings[request.full_path] = [elapsed]
    return response
