import threading

_lock = threading.Lock()
_sessions: dict[str, "ClientState"] = {}


class ClientState:
    def __init__(self, ident):
        self.ident = ident
        self.messages = []


def state_for(ident):
    with _lock:
        return _sessions.setdefault(ident, ClientState(ident))
