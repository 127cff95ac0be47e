import requests


class ApiError(Exception):
    pass


def create_ticket(base, payload):
    r = requests.post(f"{base}/tickets", json=payload, timeout=10)
    if r.status_code >= 400:
        raise ApiError(f"{r.status_code}: {r.text[:200]}")
    return r.json()["id"]
