from sqlalchemy.orm import Session

from ledger.models import Invoice
from ledger.pdf import render_invoice


def rerender_invoices(session: Session, year: int) -> int:
    """Renders every invoice of a year again, after the letterhead changed."""
    count = 0
    invoices = session.query(Invoice).filter(Invoice.year == year).all()
    for invoice in invoices:
        path = render_invoice(invoice)
        invoice.pdf_path = str(path)
        count += 1
    session.commit()
    return count
