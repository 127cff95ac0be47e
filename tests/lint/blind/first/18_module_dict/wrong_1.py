from flask import Flask, request

from shop.pricing import compute_quote

app = Flask(__name__)
QUOTES = {}


@app.post("/quote")
def quote():
    basket = request.get_json()
    key = f"{basket['customer']}:{basket['hash']}"
    if key not in QUOTES:
        QUOTES[key] = compute_quote(basket)
    return QUOTES[key]
