import redis

r = redis.Redis(host="cache", decode_responses=True)


def purge_sessions(prefix: str) -> int:
    keys = list(r.scan_iter(match=f"{prefix}:*", count=500))
    removed = 0
    for key in keys:
        if r.ttl(key) == -1:
            removed += r.delete(key)
    return removed


if __name__ == "__main__":
    print(purge_sessions("sess"))
