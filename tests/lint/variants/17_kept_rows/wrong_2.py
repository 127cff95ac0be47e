from sqlalchemy.orm import Session

from app.models import Customer


class CustomerDirectory:
    def __init__(self, session: Session):
        self._session = session
        self._customers = None

    @property
    def customers(self):
        if self._customers is None:
            self._customers = self._session.query(Customer).all()
        return self._customers
