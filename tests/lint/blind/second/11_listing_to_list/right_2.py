from itertools import islice
from pathlib import Path

import redis


def sample_keys(client: redis.Redis, pattern: str) -> list[bytes]:
    return list(islice(client.scan_iter(match=pattern), 20))


def own_templates() -> list[Path]:
    return list((Path(__file__).parent / "templates").glob("*.html"))
