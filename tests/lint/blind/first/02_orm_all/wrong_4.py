import datetime as dt

from peewee import CharField, DateTimeField, FloatField, Model, PostgresqlDatabase

database = PostgresqlDatabase("fleet")


class BaseModel(Model):
    class Meta:
        database = database


class GpsFix(BaseModel):
    vehicle = CharField(index=True)
    lat = FloatField()
    lon = FloatField()
    at = DateTimeField(index=True)


def write_track(vehicle: str, start: dt.datetime, out) -> None:
    fixes = list(GpsFix.select().where(GpsFix.vehicle == vehicle, GpsFix.at >= start))
    out.write("<trkseg>\n")
    for fix in fixes:
        out.write(f'<trkpt lat="{fix.lat}" lon="{fix.lon}"/>\n')
    out.write("</trkseg>\n")
