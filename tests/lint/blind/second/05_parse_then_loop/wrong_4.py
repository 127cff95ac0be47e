import polars as pl

from maps.geocode import nearest_street


def geocode_addresses(source: str, target: str) -> None:
    frame = pl.read_parquet(source)
    with open(target, "w", encoding="utf-8") as out:
        out.write("id;street;lat;lon\n")
        for row in frame.iter_rows(named=True):
            street = nearest_street(row["lat"], row["lon"])
            out.write(f"{row['id']};{street};{row['lat']};{row['lon']}\n")
