import redis

r = redis.Redis()


def session_count():
    keys = r.keys("session:*")
    return len(keys)


def distinct_visitors(stream):
    return len({event["visitor_id"] for event in stream})
