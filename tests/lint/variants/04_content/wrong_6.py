from pathlib import Path

import requests as rq


def backup_media(items, root: Path):
    for item in items:
        res = rq.get(item["download_url"], stream=True)
        if res.ok:
            (root / item["name"]).write_bytes(res.content)
