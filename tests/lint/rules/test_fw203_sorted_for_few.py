"""Everything sorted for a few."""

from __future__ import annotations

import pytest

HEAD = """
"""

NOTHING = {
    "figures that the caller has": "def f(scores, k):\n    return sorted(scores)[:k]",
    "what a message names": "def f(rows):\n    return ', '.join(sorted(rows)[:5])",
    "what a message says": "def f(rows):\n    return f'{sorted(rows)[:5]}'",
    "all of it": "def f(rows):\n    return sorted(rows)",
    "but the first": "def f(rows):\n    return sorted(rows)[1:]",
    "what is written down": "first = sorted(['b', 'a'])[:1]",
    "something else called so": "def f(rows, sorted):\n    return sorted(rows)[:5]",
    "of a few": "from django.db import models\nclass Post(models.Model): pass\ndef f():\n    return sorted(Post.objects.all()[:50])[:10]",
    "in place, and all of it is used": "def f(path):\n    rows = [line for line in open(path)]\n    rows.sort()\n    return rows",
    "in place, of a list": "def f(rows):\n    rows.sort()\n    return rows[:5]",
    "in place, and looked at before": "def f(path):\n    rows = [line for line in open(path)]\n    print(len(rows))\n    rows.sort()\n    return rows[:5]",
    "in place, of what an object does": "def f(client):\n    rows = [each.n for each in client.each()]\n    rows.sort()\n    return rows[:5]",
    "in place, of a few": "def f():\n    rows = []\n    for each in ('b', 'a'): rows.append(each)\n    rows.sort()\n    return rows[:1]",
    "in place, of a lock": "import mine\ndef f(path):\n    with mine.Lock(path) as lock: rows = [each for each in lock.owners()]\n    rows.sort()\n    return rows[:5]",
    "in place, of a settings file": "def f():\n    rows = [line for line in open('settings.ini')]\n    rows.sort()\n    return rows[:5]",
    "used twice": "def f(rows):\n    ranked = sorted(rows)\n    print(len(ranked))\n    return ranked[:5]",
}

FOUND = {
    "figures of rows as they come": (
        "import sqlite3\ndef f(c: sqlite3.Connection, k):\n    rows = c.execute('SELECT a FROM orders')\n    scored = (row[0] for row in rows)\n    return sorted(scored)[:k]",
        "sure",
    ),
    "the best of a file": ("def f(path):\n    with open(path) as file:\n        return sorted(file)[:10]", "sure"),
    "of counts": ("def f(counts):\n    return sorted(counts.items())[:10]", "likely"),
    "from the first on": ("def f(rows):\n    return sorted(rows)[0:10]", "likely"),
    "in place": (
        "def f(path):\n    rows = [line for line in open(path)]\n    rows.sort()\n    return rows[:100]",
        "likely",
    ),
    "in place, appended": (
        "def f(path):\n    rows = []\n    for line in open(path): rows.append(line)\n    rows.sort(key=len)\n    return rows[:100]",
        "likely",
    ),
    "in place, of a reader": (
        "import pysam\ndef f(path):\n    with pysam.AlignmentFile(path, 'rb') as reads: deep = [each.n for each in reads.pileup('1')]\n    deep.sort(reverse=True)\n    return deep[:50]",
        "likely",
    ),
    "in place, of the caller's": (
        "def f(events):\n    late = [each.delay for each in events]\n    late.sort()\n    return late[-10:]",
        "likely",
    ),
    "by a name": ("def f(rows):\n    ranked = sorted(rows)\n    return ranked[:10]", "likely"),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW203", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW203", HEAD + text)] == [confidence]


def test_what_the_names_say_nothing_of(said):
    """It is a doubt, which is not told by default."""
    text = HEAD + "def f(headers):\n    return sorted(headers)[:3]"
    assert said("FW203", text) == []
    assert [how for _line, how in said("FW203", text, "maybe")] == ["maybe"]
