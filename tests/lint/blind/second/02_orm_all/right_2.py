from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.models import Order


def latest_orders(session: Session, customer_id: int) -> list[dict]:
    stmt = (
        select(Order)
        .where(Order.customer_id == customer_id)
        .order_by(Order.placed_at.desc())
        .limit(25)
    )
    orders = session.scalars(stmt).all()
    return [
        {"id": order.id, "total": str(order.total), "state": order.state}
        for order in orders
    ]
