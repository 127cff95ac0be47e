from fastapi import APIRouter, Depends, Query
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.db import get_session
from shop.models import Review

router = APIRouter()


@router.get("/reviews")
def list_reviews(
    page: int = Query(1, ge=1, le=50),
    size: int = Query(20, ge=1, le=100),
    session: Session = Depends(get_session),
):
    stmt = select(Review).order_by(Review.id).offset((page - 1) * size).limit(size)
    return [r.as_dict() for r in session.scalars(stmt)]
