import redis


class SessionCleaner:
    def __init__(self, url):
        self.redis = redis.from_url(url)

    def run(self):
        keys = list(self.redis.scan_iter("session:*", count=500))
        for key in keys:
            if self.redis.ttl(key) == -1:
                self.redis.delete(key)
