import json


class Hub:
    def __init__(self):
        self.clients = []

    async def broadcast(self, event):
        for ws in self.clients:
            await ws.send(json.dumps(event))
