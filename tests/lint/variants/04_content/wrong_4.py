import zipfile
from io import BytesIO

import requests


def unpack_release(url, into):
    resp = requests.get(url)
    with zipfile.ZipFile(BytesIO(resp.content)) as zf:
        zf.extractall(into)
