import requests

session = requests.Session()


def get_rate(currency):
    return session.get(f"https://rates.example.com/{currency}").json()["rate"]
