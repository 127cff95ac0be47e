"""Copies for each who gets one."""

from __future__ import annotations

import pytest

HEAD = """
import copy
import json
"""

NOTHING = {
    "words of an error": "import json\ndef f(error, codes):\n    for code in codes:\n        if not in_error(json.dumps(error), code): print(code)",
    "what a log says": "import json, logging\ndef f(rules, claims):\n    for rule in rules: logging.debug('%s %s', rule, json.dumps(claims))",
    "the round of one": "def f(paths, files):\n    for path in paths:\n        if path.key == 'a':\n            path.put(json.dumps(files))",
    "again after a failure": "def f(stack, value):\n    for attempt in range(3):\n        stack.append(copy.deepcopy(value))",
    "once, before": "def f(clients, event):\n    text = json.dumps(event)\n    for client in clients: client.send(text)",
    "something else in each round": "def f(clients, events):\n    for client, event in zip(clients, events): client.send(json.dumps(event))",
    "changed in the loop": "def f(clients, event):\n    for client in clients:\n        event['to'] = client.name\n        client.send(json.dumps(event))",
    "a copy that the loop changes": "def f(base, clients):\n    for client in clients:\n        own = copy.deepcopy(base)\n        own['rate'] = 2\n        client.send(own)",
    "a copy for each of other things": "def f(self, base):\n    for step in self.steps: step(copy.deepcopy(base))",
    "a copy of what the loop draws": "def f(self):\n    for listener in self.listeners: listener(copy.deepcopy(listener.state))",
    "a copy that somebody else gets": "def f(self, base):\n    for listener in self.listeners: change(copy.deepcopy(base), listener)",
    "a state of his own": "def f(self, base):\n    for player in self.players: player.begin(copy.deepcopy(base))",
    "a copy for one of them": "def f(self, base, name):\n    for listener in self.listeners:\n        if listener.name == name: listener(copy.deepcopy(base))",
    "a few copies": "def f(base):\n    for rate in (1, 2):\n        own = copy.deepcopy(base)\n        yield own, rate",
    "a text that is used again": "def f(clients, event):\n    for client in clients:\n        text = json.dumps(event)\n        client.last = text\n        client.send(text)",
    "parts of what is written down": "KINDS = {'a': 1}\ndef f(clients):\n    for client in clients: client.send(json.dumps({'kinds': KINDS}))",
    "what is written down": "def f(clients):\n    for client in clients: client.send(json.dumps({'a': 1}))",
}

FOUND = {
    "a text of an attribute": (
        "def f(clients, game):\n    for client in clients: client.send(json.dumps({'type': 'state', 'board': game.board}))",
        "sure",
    ),
    "pairs": (
        "def f(clients, game):\n    return [(client, json.dumps({'board': game.board})) for client in clients]",
        "likely",
    ),
    "by a name": (
        "def f(clients, event):\n    for client in clients:\n        text = json.dumps(event)\n        client.sock.sendall(text)",
        "likely",
    ),
    "a copy by a name": (
        "async def f(queues, event):\n    for queue in queues:\n        own = copy.deepcopy(event)\n        await queue.put(own)",
        "likely",
    ),
    "a copy for who is called": (
        "class Bus:\n    def publish(self, event):\n        for each in self._subscribers: each(copy.deepcopy(event))",
        "likely",
    ),
    "a copy for a method": (
        "def f(listeners, event):\n    for name, listener in list(listeners.items()): listener.on_event(copy.deepcopy(event))",
        "likely",
    ),
    "a text": ("def f(clients, event):\n    for client in clients: client.send(json.dumps(event))", "sure"),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW502", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW502", HEAD + text)] == [confidence]
