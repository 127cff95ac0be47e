import os

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

_engine = None


def engine() -> Engine:
    global _engine
    if _engine is None:
        _engine = create_engine(os.environ["DATABASE_URL"])
    return _engine


class SchemaInfo:
    def __init__(self) -> None:
        self._version = None

    @property
    def version(self) -> str:
        if self._version is None:
            with engine().connect() as conn:
                self._version = conn.execute(text("SELECT version FROM schema_info")).scalar_one()
        return self._version
