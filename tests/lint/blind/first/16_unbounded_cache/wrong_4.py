from cachetools import cached
from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session

from chat.db import get_session
from chat.models import User

router = APIRouter()


@cached(cache={})
def display_name(user_id: int) -> str:
    with Session() as session:
        user = session.get(User, user_id)
        return user.nick or user.email


@router.get("/users/{user_id}/name")
def name(user_id: int, session: Session = Depends(get_session)) -> dict:
    return {"name": display_name(user_id)}
