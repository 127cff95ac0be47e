"""Pools that are cleared in normal operation."""

from __future__ import annotations

import pytest

HEAD = """
import flatwater as fw
"""

NOTHING = {
    "around each test": "import unittest\nimport flatwater as fw\nclass A(unittest.TestCase):\n    def setUp(self): fw.clear_pools()\n    @classmethod\n    def tearDownClass(cls): fw.clear_pools()",
    "at the end": "def close():\n    fw.clear_pools()",
    "under pressure": "def shed(wanted):\n    return fw.clear_pools()",
    "at the end of a script": "fw.clear_pools()",
    "an engine of its own": "from sqlalchemy import create_engine\ndef f(url):\n    engine = create_engine(url)\n    engine.connect().execute('SELECT 1')\n    engine.dispose()",
    "an engine at the end": "from sqlalchemy import create_engine\nengine = create_engine('sqlite://')\ndef shutdown(app):\n    engine.connect()\n    engine.dispose()",
    "an engine after a failure": "from sqlalchemy import create_engine\nengine = create_engine('sqlite://')\ndef f(x):\n    try: engine.connect()\n    except OSError: engine.dispose()",
    "a pool of its own": "import urllib3\ndef f(url):\n    pool = urllib3.PoolManager()\n    try: return pool.request('GET', url).data\n    finally: pool.clear()",
    "a dict": "def f(data, url):\n    data.request(url)\n    data.clear()",
    "behind a lifespan": "from contextlib import asynccontextmanager\n@asynccontextmanager\nasync def lifespan(app):\n    yield\n    fw.clear_pools()",
    "behind a context, in any case": "import contextlib\n@contextlib.contextmanager\ndef job(path):\n    try: yield open(path)\n    finally: fw.clear_pools()",
    "behind a fixture": "import pytest\n@pytest.fixture(scope='session')\ndef pools():\n    yield\n    fw.clear_pools()",
    "somebody's": "from mine import clear_pools\ndef f(rows):\n    for row in rows: clear_pools()",
}

FOUND = {
    "in a loop": ("def f(rows):\n    for row in rows: fw.clear_pools()", "sure"),
    "an engine": (
        "from sqlalchemy import create_engine\nengine = create_engine('sqlite://')\ndef save(x):\n    with engine.begin() as c: c.execute(x)\n    engine.dispose()",
        "likely",
    ),
    "behind a request": (
        "class A:\n    def fetch(self, url):\n        answer = self.manager.request('GET', url)\n        self.manager.clear()\n        return answer",
        "likely",
    ),
    "ahead of what a context is for": (
        "import contextlib\n@contextlib.contextmanager\ndef job(path):\n    fw.clear_pools()\n    yield open(path)",
        "likely",
    ),
    "behind the value of a plain generator": ("def f(rows):\n    yield rows\n    fw.clear_pools()", "likely"),
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
