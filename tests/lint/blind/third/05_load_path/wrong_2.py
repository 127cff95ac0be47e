from pathlib import Path

import pandas as pd
from influxdb_client import InfluxDBClient, Point
from influxdb_client.client.write_api import SYNCHRONOUS


def import_measurements(csv_path: Path, client: InfluxDBClient, bucket: str) -> None:
    write_api = client.write_api(write_options=SYNCHRONOUS)
    df = pd.read_csv(csv_path, parse_dates=["time"])
    for row in df.itertuples(index=False):
        point = (
            Point("power")
            .tag("inverter", row.inverter)
            .field("watts", float(row.watts))
            .time(row.time)
        )
        write_api.write(bucket=bucket, record=point)
