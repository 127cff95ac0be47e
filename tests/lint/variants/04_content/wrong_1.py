import requests


def download_dataset(url, target):
    response = requests.get(url, timeout=300)
    response.raise_for_status()
    with open(target, "wb") as out:
        out.write(response.content)
