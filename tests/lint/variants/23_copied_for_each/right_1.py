import json


class Hub:
    def __init__(self):
        self.clients = []

    async def broadcast(self, event):
        text = json.dumps(event)
        for ws in self.clients:
            await ws.send(text)
