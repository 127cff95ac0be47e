import pymysql
from pymysql.cursors import SSCursor


def dump_parcels(settings: dict, out) -> None:
    db = pymysql.connect(**settings, cursorclass=SSCursor)
    try:
        with db.cursor() as cur:
            cur.execute("SELECT barcode, depot, scanned_at FROM parcel_scans")
            for barcode, depot, scanned_at in cur:
                out.write(f"{barcode},{depot},{scanned_at:%FT%T}\n")
    finally:
        db.close()
