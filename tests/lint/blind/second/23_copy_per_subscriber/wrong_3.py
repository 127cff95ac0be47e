import json
import queue


class QuoteHub:
    def __init__(self):
        self.clients = {}

    def join(self, client_id):
        self.clients[client_id] = queue.Queue(maxsize=100)
        return self.clients[client_id]

    def leave(self, client_id):
        self.clients.pop(client_id, None)

    def on_book(self, book):
        for client_id, outbox in self.clients.items():
            message = json.dumps(book)
            if not outbox.full():
                outbox.put_nowait(message)
