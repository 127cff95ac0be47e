import sqlite3

from flask import Flask, jsonify

app = Flask(__name__)


@app.get("/slowest")
def slowest_queries():
    conn = sqlite3.connect("/var/lib/apm/traces.db")
    try:
        spans = conn.execute("SELECT trace_id, name, duration_ms FROM spans")
        worst = sorted(spans, key=lambda span: span[2])[-20:]
    finally:
        conn.close()
    return jsonify([{"trace": t, "name": n, "ms": d} for t, n, d in worst])
