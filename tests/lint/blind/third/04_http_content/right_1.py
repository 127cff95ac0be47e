import shutil
from pathlib import Path

import requests


def download_model(url: str, target: Path) -> Path:
    with requests.get(url, stream=True, timeout=60) as response:
        response.raise_for_status()
        with target.open("wb") as out:
            for chunk in response.iter_content(chunk_size=1 << 16):
                out.write(chunk)
    return target


def download_patch(url: str, target: Path) -> None:
    with requests.get(url, stream=True, timeout=60) as response:
        with target.open("wb") as out:
            shutil.copyfileobj(response.raw, out)
