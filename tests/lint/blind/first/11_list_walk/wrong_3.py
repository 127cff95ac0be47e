import redis


def expire_sessions(url: str, older_than: int) -> int:
    r = redis.Redis.from_url(url, decode_responses=True)
    removed = 0
    keys = list(r.scan_iter(match="session:*", count=1000))
    for key in keys:
        if r.object("idletime", key) > older_than:
            r.delete(key)
            removed += 1
    return removed
