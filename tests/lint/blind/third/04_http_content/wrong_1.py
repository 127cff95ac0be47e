from pathlib import Path

import requests

BASE = "https://planet.example.org/extracts"


def download_extract(region: str, target_dir: Path) -> Path:
    target = target_dir / f"{region}.osm.pbf"
    response = requests.get(f"{BASE}/{region}-latest.osm.pbf", timeout=600)
    response.raise_for_status()
    with open(target, "wb") as f:
        f.write(response.content)
    return target


def refresh(regions: list[str], target_dir: Path) -> None:
    target_dir.mkdir(parents=True, exist_ok=True)
    for region in regions:
        download_extract(region, target_dir)
