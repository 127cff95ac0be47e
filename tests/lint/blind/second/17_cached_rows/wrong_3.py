import sqlite3
from typing import Optional

_STATIONS: Optional[list[tuple]] = None


def stations() -> list[tuple]:
    global _STATIONS
    if _STATIONS is None:
        conn = sqlite3.connect("/srv/weather/stations.db")
        _STATIONS = conn.execute("SELECT id, name, lat, lon FROM stations").fetchall()
        conn.close()
    return _STATIONS


def nearest(lat: float, lon: float) -> tuple:
    return min(stations(), key=lambda s: (s[2] - lat) ** 2 + (s[3] - lon) ** 2)
