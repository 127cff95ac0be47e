from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.models import Invoice
from billing.pdf import render_invoice

BATCH_SIZE = 200


def render_all(session: Session) -> int:
    rendered = 0
    while True:
        stmt = select(Invoice).order_by(Invoice.id).offset(rendered).limit(BATCH_SIZE)
        invoices = session.scalars(stmt).all()
        if not invoices:
            return rendered
        for invoice in invoices:
            render_invoice(invoice)
        rendered += len(invoices)
        session.expunge_all()
