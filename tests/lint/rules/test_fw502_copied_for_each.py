"""Copies for each who gets one."""

from __future__ import annotations

import pytest

HEAD = """
import copy
import json
"""

NOTHING = {
    "what a log says": "import json, logging\ndef f(rules, claims):\n    for rule in rules: logging.debug('%s %s', rule, json.dumps(claims))",
    "the round of one": "def f(paths, files):\n    for path in paths:\n        if path.key == 'a':\n            path.put(json.dumps(files))",
    "again after a failure": "def f(stack, value):\n    for attempt in range(3):\n        stack.append(copy.deepcopy(value))",
    "once, before": "def f(clients, event):\n    text = json.dumps(event)\n    for client in clients: client.send(text)",
    "something else in each round": "def f(clients, events):\n    for client, event in zip(clients, events): client.send(json.dumps(event))",
    "changed in the loop": "def f(clients, event):\n    for client in clients:\n        event['to'] = client.name\n        client.send(json.dumps(event))",
    "what is written down": "def f(clients):\n    for client in clients: client.send(json.dumps({'a': 1}))",
}

FOUND = {
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
