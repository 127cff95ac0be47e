import requests

CHUNK = 1024 * 256


def save_recording(session: requests.Session, url: str, dest: str) -> int:
    size = 0
    with session.get(url, stream=True, timeout=60) as resp:
        resp.raise_for_status()
        with open(dest, "wb") as out:
            for chunk in resp.iter_content(chunk_size=CHUNK):
                out.write(chunk)
                size += len(chunk)
    return size
