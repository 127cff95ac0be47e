from functools import lru_cache

from sqlalchemy import Engine, create_engine, text


@lru_cache(maxsize=1)
def get_engine() -> Engine:
    return create_engine("postgresql://ci@db/ci", pool_size=4, max_overflow=2)


def set_state(build_id: int, state: str) -> None:
    with get_engine().begin() as conn:
        conn.execute(
            text("UPDATE builds SET state = :s WHERE id = :id"),
            {"s": state, "id": build_id},
        )
