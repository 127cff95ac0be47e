import asyncio


class LineProtocol(asyncio.Protocol):
    def __init__(self, handler):
        self.buffer = b""
        self.handler = handler

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data

    def connection_lost(self, exc):
        self.handler(self.buffer)
