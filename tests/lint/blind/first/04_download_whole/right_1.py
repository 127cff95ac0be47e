from pathlib import Path

import requests


def download(url: str, target: Path) -> None:
    with requests.get(url, stream=True, timeout=60) as response:
        if not response.ok:
            raise RuntimeError(response.text[:200])
        with target.open("wb") as out:
            for chunk in response.iter_content(1 << 20):
                out.write(chunk)
