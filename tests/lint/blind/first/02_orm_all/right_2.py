from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.models import Invoice


def last_invoices(session: Session, customer_id: int) -> list[dict]:
    stmt = (
        select(Invoice)
        .where(Invoice.customer_id == customer_id)
        .order_by(Invoice.issued.desc())
        .limit(12)
    )
    out = []
    for invoice in session.scalars(stmt).all():
        out.append({"no": invoice.number, "total": invoice.total})
    return out
