import requests


def get_rate(currency):
    session = requests.Session()
    session.headers["Accept"] = "application/json"
    return session.get(f"https://rates.example.com/{currency}").json()["rate"]
