import asyncio


class TelnetServer:
    def __init__(self, handler) -> None:
        self.handler = handler
        self.sessions = []

    async def on_connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self.handler(reader, writer))
        self.sessions.append(task)

    async def serve(self, port: int) -> None:
        server = await asyncio.start_server(self.on_connect, port=port)
        async with server:
            await server.serve_forever()
