import os

from fastapi import FastAPI, HTTPException
from sqlalchemy import create_engine, text

app = FastAPI()


@app.get("/parcels/{barcode}")
def parcel_status(barcode: str) -> dict:
    engine = create_engine(os.environ["DATABASE_URL"])
    with engine.connect() as conn:
        row = conn.execute(
            text("SELECT status, depot FROM parcels WHERE barcode = :b"), {"b": barcode}
        ).first()
    if row is None:
        raise HTTPException(404)
    return {"status": row.status, "depot": row.depot}
