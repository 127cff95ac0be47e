"""A document or table that is parsed whole."""

from __future__ import annotations

import pytest

HEAD = """
import io
import json
import pandas as pd
"""

NOTHING = {
    "a table that is completed": "import pandas as pd\ndef f(path):\n    table = pd.read_csv(path)\n    for _, row in table.iterrows(): print(row)\n    table['n'] = 1\n    table.to_csv(path)",
    "what has no other way": "def f(path):\n    for row in pd.read_excel(path).itertuples(): print(row)",
    "an index": "def f(index_path):\n    with open(index_path) as file:\n        for item in json.load(file): print(item)",
    "all rows, as somebody wants them": "def f(path):\n    return pd.read_csv(path).to_dict('records')",
    "an answer": "import requests\ndef f(url):\n    for item in json.loads(requests.get(url).text): print(item)",
    "a file of one kind": "def f(folder):\n    with open(folder / 'tabs.json') as file:\n        for tab in json.load(file): print(tab)",
    "settings by their name": "def f(path):\n    with open(path) as file:\n        configs = json.load(file)\n    for each in configs: print(each)",
    "chunks": "def f(path):\n    for chunk in pd.read_csv(path, chunksize=1000): print(chunk)",
    "a document that is used as one": "def f(path):\n    with open(path) as file:\n        return json.load(file)['name']",
    "a text in memory": "def f(text):\n    for row in pd.read_csv(io.StringIO(text)).itertuples(): print(row)",
    "settings": "def f(settings_path):\n    with open(settings_path) as file:\n        for name in json.load(file): print(name)",
    "somebody else's load": "def f(path, yaml):\n    for each in yaml.load(path): print(each)",
}

FOUND = {
    "the text of a path": (
        "from pathlib import Path\ndef f(path: Path):\n    for order in json.loads(path.read_text())['orders']: print(order)",
        "likely",
    ),
    "a document": (
        "def f(path):\n    with open(path) as file:\n        for order in json.load(file): print(order)",
        "likely",
    ),
    "a frame row by row": ("def f(path):\n    for row in pd.read_csv(path).itertuples(): print(row)", "sure"),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW103", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW103", HEAD + text)] == [confidence]
