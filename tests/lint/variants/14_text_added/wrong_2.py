import requests


def fetch_text(url):
    body = ""
    with requests.get(url, stream=True) as resp:
        for piece in resp.iter_content(8192, decode_unicode=True):
            body += piece
    return body
