from sqlalchemy import select
from sqlalchemy.orm import Session

from .tables import Invoice


def export(session: Session, writer):
    stmt = select(Invoice).execution_options(yield_per=500)
    for invoice in session.scalars(stmt):
        writer.write(invoice.to_csv())
    return session.scalars(select(Invoice).limit(5)).all()
