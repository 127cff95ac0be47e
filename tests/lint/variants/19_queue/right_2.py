from collections import deque


def tail(path, n=10):
    with open(path) as fh:
        return list(deque(fh, maxlen=n))


class Recent:
    def __init__(self):
        self.items = deque(maxlen=200)

    def add(self, item):
        self.items.append(item)
