import requests

RESULTS = {}


def lookup(domain):
    try:
        return RESULTS[domain]
    except KeyError:
        info = requests.get(f"https://rdap.org/domain/{domain}", timeout=10).json()
        RESULTS[domain] = info
        return info
