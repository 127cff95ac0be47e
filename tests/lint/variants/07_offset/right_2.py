from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from app.db import Reading, get_db

router = APIRouter()


@router.get("/readings")
def list_readings(page: int = 0, size: int = Query(50, le=100), db: Session = Depends(get_db)):
    return db.query(Reading).order_by(Reading.id).offset(page * size).limit(size).all()
