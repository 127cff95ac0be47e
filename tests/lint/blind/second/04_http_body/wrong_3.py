import csv
import urllib.request

OPEN_DATA = "https://opendata.example.org/cadastre/{year}/parcels.csv"


def load_parcels(year, insert):
    with urllib.request.urlopen(OPEN_DATA.format(year=year)) as response:
        body = response.read().decode("utf-8")
    reader = csv.DictReader(body.splitlines())
    count = 0
    for parcel in reader:
        insert(parcel["parcel_id"], float(parcel["area"]), parcel["owner"])
        count += 1
    return count
