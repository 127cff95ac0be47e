from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from .tables import Invoice


class InvoiceExporter:
    def __init__(self, session: AsyncSession, writer):
        self.session = session
        self.writer = writer

    async def run(self):
        stmt = select(Invoice).where(Invoice.sent.is_(True))
        result = await self.session.scalars(stmt)
        invoices = result.all()
        for inv in invoices:
            self.writer.write(inv.to_csv())
