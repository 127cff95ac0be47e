import csv
import sqlite3
from pathlib import Path


class ReadingExporter:
    """Writes the meter readings of one site as CSV."""

    def __init__(self, db_path: Path, out_dir: Path) -> None:
        self.conn = sqlite3.connect(db_path)
        self.out_dir = out_dir

    def export(self, site_id: int) -> Path:
        target = self.out_dir / f"site_{site_id}.csv"
        cur = self.conn.execute(
            "SELECT meter_id, taken_at, kwh FROM readings WHERE site_id = ?",
            (site_id,),
        )
        readings = cur.fetchall()
        with target.open("w", newline="") as fh:
            writer = csv.writer(fh)
            writer.writerow(["meter", "taken_at", "kwh"])
            for meter_id, taken_at, kwh in readings:
                writer.writerow([meter_id, taken_at, f"{kwh:.3f}"])
        return target
