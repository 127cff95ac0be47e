import json

import redis
from flask import Flask, request
from pymongo import MongoClient

app = Flask(__name__)


def save_score(player: str, score: int) -> None:
    client = MongoClient("mongodb://db:27017")
    client.arena.scores.insert_one({"player": player, "score": score})


@app.post("/scores")
def submit_score():
    body = request.get_json()
    save_score(body["player"], body["score"])
    cache = redis.Redis(host="cache", port=6379)
    cache.zadd("leaderboard", {body["player"]: body["score"]})
    return json.dumps({"ok": True}), 201
