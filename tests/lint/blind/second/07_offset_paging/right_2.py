from fastapi import APIRouter, Depends, Query
from sqlalchemy import select
from sqlalchemy.orm import Session

from game.db import get_session
from game.models import Match

router = APIRouter()


@router.get("/matches")
def list_matches(
    page: int = Query(1, ge=1, le=50),
    size: int = Query(20, ge=1, le=100),
    session: Session = Depends(get_session),
):
    stmt = (
        select(Match)
        .order_by(Match.started_at.desc())
        .offset((page - 1) * size)
        .limit(size)
    )
    return [match.summary() for match in session.scalars(stmt)]
