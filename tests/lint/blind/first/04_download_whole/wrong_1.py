from pathlib import Path

import requests

MIRROR = "https://download.geofabrik.de/europe"


def download_extract(country: str, folder: Path) -> Path:
    target = folder / f"{country}-latest.osm.pbf"
    reply = requests.get(f"{MIRROR}/{country}-latest.osm.pbf", timeout=600)
    reply.raise_for_status()
    with target.open("wb") as out:
        out.write(reply.content)
    return target


def download_all(countries: list[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for country in countries:
        download_extract(country, folder)
