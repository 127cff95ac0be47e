import redis

r = redis.Redis()


def clean():
    for key in r.scan_iter("session:*"):
        if r.ttl(key) == -1:
            r.delete(key)
