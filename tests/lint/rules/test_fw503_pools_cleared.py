"""Pools that are cleared in normal operation."""

from __future__ import annotations

import pytest

HEAD = """
import flatwater as fw
"""

NOTHING = {
    "at the end": "def close():\n    fw.clear_pools()",
    "under pressure": "def shed(wanted):\n    return fw.clear_pools()",
    "at the end of a script": "fw.clear_pools()",
    "somebody's": "from mine import clear_pools\ndef f(rows):\n    for row in rows: clear_pools()",
}

FOUND = {
    "in a loop": ("def f(rows):\n    for row in rows: fw.clear_pools()", "sure"),
    "in a handler": ("def handle(request):\n    fw.clear_pools()", "likely"),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW503", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW503", HEAD + text)] == [confidence]
