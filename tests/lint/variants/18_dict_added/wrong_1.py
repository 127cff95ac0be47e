import time

_seen = {}


def is_duplicate(message_id):
    if message_id in _seen:
        return True
    _seen[message_id] = time.time()
    return False
