import asyncio
from copy import deepcopy


class OrderBookFeed:
    def __init__(self):
        self.book = {"bids": {}, "asks": {}}
        self.listeners: list[asyncio.Queue] = []

    def apply(self, side, price, qty):
        if qty:
            self.book[side][price] = qty
        else:
            self.book[side].pop(price, None)
        for listener in self.listeners:
            snapshot = deepcopy(self.book)
            if not listener.full():
                listener.put_nowait(snapshot)
