import datetime as dt

from peewee import CharField, DateTimeField, FloatField, Model, PostgresqlDatabase

db = PostgresqlDatabase("fleet")


class Position(Model):
    vehicle = CharField(index=True)
    lat = FloatField()
    lon = FloatField()
    seen_at = DateTimeField()

    class Meta:
        database = db


def write_gpx(vehicle: str, out) -> None:
    positions = list(
        Position.select().where(Position.vehicle == vehicle).order_by(Position.seen_at)
    )
    out.write("<gpx><trk><trkseg>\n")
    for p in positions:
        stamp = p.seen_at.replace(tzinfo=dt.timezone.utc).isoformat()
        out.write(f'<trkpt lat="{p.lat}" lon="{p.lon}"><time>{stamp}</time></trkpt>\n')
    out.write("</trkseg></trk></gpx>\n")
