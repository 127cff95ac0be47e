import json
from pathlib import Path

import pyarrow.parquet as pq


def export_geojson(parquet: Path, target: Path) -> None:
    """Writes one feature a line."""
    table = pq.read_table(parquet, columns=["osm_id", "lon", "lat", "name"])
    with target.open("w") as out:
        for place in table.to_pylist():
            feature = {
                "type": "Feature",
                "id": place["osm_id"],
                "geometry": {"type": "Point", "coordinates": [place["lon"], place["lat"]]},
                "properties": {"name": place["name"]},
            }
            out.write(json.dumps(feature) + "\n")
