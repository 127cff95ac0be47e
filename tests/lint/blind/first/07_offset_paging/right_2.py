from fastapi import APIRouter, Depends, Query
from sqlalchemy import select
from sqlalchemy.orm import Session

from grid.deps import get_session
from grid.models import Station

router = APIRouter()


@router.get("/stations")
def stations(
    page: int = Query(0, ge=0, le=100), session: Session = Depends(get_session)
) -> list[dict]:
    stmt = select(Station).order_by(Station.name).offset(page * 50).limit(50)
    return [{"id": s.id, "name": s.name} for s in session.scalars(stmt)]
