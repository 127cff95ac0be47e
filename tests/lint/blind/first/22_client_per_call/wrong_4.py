import redis
import requests
from flask import Blueprint, abort, jsonify

bp = Blueprint("stock", __name__)


@bp.route("/stock/<sku>")
def stock(sku):
    cache = redis.Redis(host="redis", decode_responses=True)
    cached = cache.get(f"stock:{sku}")
    if cached is not None:
        return jsonify(sku=sku, count=int(cached))
    session = requests.Session()
    reply = session.get(f"https://erp.example/stock/{sku}", timeout=5)
    if reply.status_code == 404:
        abort(404)
    count = reply.json()["count"]
    cache.set(f"stock:{sku}", count, ex=30)
    return jsonify(sku=sku, count=count)
