from sqlalchemy.orm import Session

from app.models import Order


class Stats:
    def __init__(self, session: Session):
        self.session = session

    def order_count(self, customer_id):
        orders = self.session.query(Order).filter(Order.customer_id == customer_id).all()
        return len(orders)
