import json

connected = set()


def notify_all(game):
    payloads = [(c, json.dumps({"type": "state", "board": game.board})) for c in connected]
    for client, text in payloads:
        client.write(text)
