from flask import Flask, request

app = Flask(__name__)
callbacks = {}


@app.route("/hooks/<topic>", methods=["POST"])
def add_hook(topic):
    callbacks.setdefault(topic, []).append(request.json["url"])
    return "", 204
