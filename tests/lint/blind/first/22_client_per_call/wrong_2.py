from celery import shared_task
from sqlalchemy import create_engine, text

from billing.settings import DATABASE_URL


@shared_task
def mark_paid(invoice_id: int, reference: str) -> None:
    engine = create_engine(DATABASE_URL)
    with engine.begin() as conn:
        conn.execute(
            text("UPDATE invoices SET paid_at = now(), reference = :r WHERE id = :i"),
            {"r": reference, "i": invoice_id},
        )
