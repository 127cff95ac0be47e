from typing import Optional

import yaml
from sqlalchemy import Engine, create_engine

_engine: Optional[Engine] = None


def engine() -> Engine:
    global _engine
    if _engine is None:
        with open("/etc/billing/database.yml") as fh:
            settings = yaml.safe_load(fh)
        _engine = create_engine(settings["url"], pool_size=5)
    return _engine


def dispose() -> None:
    global _engine
    if _engine is not None:
        _engine.dispose()
        _engine = None
