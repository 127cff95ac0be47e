from urllib.request import urlopen


def mirror_dump(url, dest):
    with urlopen(url, timeout=60) as resp:
        data = resp.read()
    with open(dest, "wb") as fh:
        fh.write(data)
    return len(data)
