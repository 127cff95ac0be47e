"""Collections that are only ever added to."""

from __future__ import annotations

import pytest

HEAD = """
"""

NOTHING = {
    "a store for each address": "_store_cache = {}\ndef f(url):\n    if url not in _store_cache: _store_cache[url] = 1\n    return _store_cache[url]",
    "what nobody knows": "_timers = {}\ndef f(timer_id):\n    if timer_id not in _timers: _timers[timer_id] = 1\n    return _timers[timer_id]",
    "one for each server": "_engines = {}\ndef f(url):\n    if url not in _engines: _engines[url] = make(url)\n    return _engines[url]",
    "connections by another name": "_known = {}\ndef f(url):\n    if url not in _known: _known[url] = make_client(url)\n    return _known[url]",
    "handlers of events": "_handlers = {}\ndef f(event, handler):\n    if event not in _handlers: _handlers[event] = []\n    _handlers[event].append(handler)",
    "emptied": "_users = {}\ndef f(user_id):\n    if user_id not in _users: _users[user_id] = 1\n    return _users[user_id]\ndef clear():\n    _users.clear()",
    "a bound by hand": "_users = {}\ndef f(user_id):\n    if user_id not in _users:\n        _users[user_id] = 1\n        if len(_users) > 100: _users.pop(next(iter(_users)))\n    return _users[user_id]",
    "filled at import": "_users = {}\nfor name in ('a', 'b'): _users[name] = 1",
    "a registry": "_handlers = {}\ndef register(cls):\n    _handlers[cls.__name__] = cls\n    return cls",
    "languages": "_texts = {}\ndef f(language):\n    if language not in _texts: _texts[language] = 1\n    return _texts[language]",
    "what was said once": "_warned = set()\ndef f(user_id):\n    if user_id not in _warned: _warned.add(user_id)",
    "of a call": "def f(rows):\n    seen = set()\n    for row in rows: seen.add(row.id)",
}

FOUND = {
    "looked for first": (
        "_users = {}\ndef f(user_id):\n    if user_id not in _users: _users[user_id] = 1\n    return _users[user_id]",
        "likely",
    ),
    "a try": (
        "_pages = {}\ndef f(url):\n    try:\n        return _pages[url]\n    except KeyError:\n        _pages[url] = 1\n        return 1",
        "likely",
    ),
    "of a class": (
        "class A:\n    answers = {}\n    def f(self, question): return self.answers.setdefault(question, 1)",
        "likely",
    ),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW304", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW304", HEAD + text)] == [confidence]


def test_added_to_without_a_look(said):
    """It is a doubt, which is not told by default."""
    text = HEAD + "_all = []\ndef f(user_id):\n    _all.append(user_id)"
    assert said("FW304", text) == []
    assert [how for _line, how in said("FW304", text, "maybe")] == ["maybe"]
