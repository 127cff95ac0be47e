from sqlalchemy import create_engine, text


def account_balance(account_id: int) -> float:
    engine = create_engine("postgresql://bank@db/bank", pool_size=5)
    with engine.connect() as conn:
        row = conn.execute(
            text("SELECT balance FROM accounts WHERE id = :id"), {"id": account_id}
        ).one()
    return float(row.balance)


def can_withdraw(account_id: int, amount: float) -> bool:
    return account_balance(account_id) >= amount
