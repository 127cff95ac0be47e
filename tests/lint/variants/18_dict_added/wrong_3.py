from collections import defaultdict

from flask import Flask, request

app = Flask(__name__)
hits = defaultdict(list)


@app.before_request
def track():
    hits[request.remote_addr].append(request.path)
