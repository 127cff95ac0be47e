"""A table over SQLAlchemy: columns, objects with their collections, changes in short transactions, and a page for a request.

Run: python docs/examples/tables_sqlalchemy.py
"""

import tempfile
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

import flatwater as fw
from flatwater.source.tables.table import Table

ORDERS = 20_000


class Base(DeclarativeBase):
    """What is mapped."""


class Customer(Base):
    """Who orders."""

    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list["Order"]] = relationship(back_populates="customer")


class Order(Base):
    """What was ordered."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    cents: Mapped[int]
    state: Mapped[str] = mapped_column(default="open")
    customer: Mapped[Customer] = relationship(back_populates="orders")


def make(path: Path) -> sa.Engine:
    """A database with customers and their orders."""
    engine = sa.create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(Customer), [{"id": n, "name": f"customer {n}"} for n in range(1, 501)])
        orders = (
            {"id": n, "customer_id": n % 500 + 1, "cents": n % 700, "state": "open"} for n in range(1, ORDERS + 1)
        )
        connection.execute(sa.insert(Order), list(orders))
    return engine


def main() -> None:
    """The same table in four ways, under one budget."""
    with tempfile.TemporaryDirectory() as folder, fw.Budget("24 MiB"):
        engine = make(Path(folder) / "shop.db")

        total = sum(row["cents"] for row in Table(engine, Order).find_each(columns=["cents"]))
        print(f"columns: {total} cents")

        with Session(engine) as session:
            busy = Table(session, sa.select(Customer).options(selectinload(Customer.orders)))
            most = max(len(customer.orders) for customer in busy.find_each(as_="orm", batch_bytes="1 MiB"))
            print(f"objects: {most} orders at most")

        done = Table(engine, Order).update_each(lambda order: {"state": "paid"} if order["cents"] > 600 else None)
        print(f"changes: {done.changed} of {done.seen}")

        paid = sa.select(Order).where(Order.state == "paid")
        page = Table(engine, paid).page(limit=3)
        print("a page:", [row["id"] for row in page], "and more" if page.has_more else "")
        engine.dispose()


if __name__ == "__main__":
    main()
