_connections = {}


def on_connect(sid, conn):
    _connections[sid] = conn


def on_disconnect(sid):
    _connections.pop(sid, None)
