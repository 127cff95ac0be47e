import redis
from flask import Flask, jsonify

app = Flask(__name__)
store = redis.Redis(host="cache", decode_responses=True)


@app.post("/admin/sessions/flush/<tenant>")
def flush_sessions(tenant: str):
    keys = list(store.scan_iter(match=f"session:{tenant}:*", count=500))
    removed = 0
    for key in keys:
        removed += store.delete(key)
    return jsonify(removed=removed)
