"""`for each in list(stream)` becomes `for each in stream`, where the loop cannot change what the stream gives."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HEAD = "import csv, glob, os, redis\nfrom pathlib import Path\n"
KEPT = {
    "it deletes": "def f(d):\n    for p in list(Path(d).rglob('*')):\n        p.unlink()\n",
    "it renames": "def f(d):\n    for p in list(Path(d).iterdir()):\n        p.replace('x')\n",
    "it writes": "def f(d):\n    for p in list(Path(d).iterdir()):\n        p.write_text('x')\n",
    "it prints": "def f(d):\n    for p in list(os.scandir(d)):\n        print(p.name)\n",
    "a walk can be told where to go": "def f(d):\n    found = []\n    for folder, folders, files in list(os.walk(d)):\n        found.append(folder)\n",
    "it asks a network": "def f():\n    found = []\n    for key in list(redis.Redis().scan_iter()):\n        found.append(key)\n",
    "a set": "def f(d):\n    return [p.name for p in set(os.scandir(d))]\n",
    "a folder that was given": "def f(d: list):\n    return [p.name for p in list(d)]\n",
    "a path that is only likely": "def f(d):\n    return [p.name for p in list(d.rglob('*'))]\n",
}
CHANGED = {
    "entries": "def f(d):\n    return sorted([p.name for p in list(os.scandir(d)) if p.is_file()])\n",
    "paths": "def f(d):\n    found = {}\n    for p in list(Path(d).iterdir()):\n        found[p.name] = p.stat().st_size\n    return sorted(found.items())\n",
    "names": "def f(d):\n    return sorted([os.path.basename(n) for n in list(glob.iglob(d + '/*'))])\n",
}
LINES = {
    "records": "def f(path):\n    with open(path, newline='', errors='replace') as file:\n        return [row for row in list(csv.reader(file)) if row]\n",
    "rows by name": (
        "def f(path):\n    rows = []\n    with open(path, newline='', errors='replace') as file:\n        for row in list(csv.DictReader(file)):\n"
        "            row['n'] = len(rows)\n            rows.append(row)\n    return rows\n"
    ),
    "lines": "def f(path):\n    with open(path, 'rb') as file:\n        return [line.strip() for line in list(file)]\n",
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_nothing_is_changed(fixed, text):
    """Where the loop may change the folder, or is seen before the end."""
    assert fixed("FW202", HEAD + text) == HEAD + text


@pytest.mark.parametrize("text", [*CHANGED.values(), *LINES.values()], ids=[*CHANGED, *LINES])
def test_it_goes_over_the_stream(fixed, text):
    """Only `list()` is gone."""
    new = fixed("FW202", HEAD + text)
    assert new == HEAD + text.replace("list(os.scandir(d))", "os.scandir(d)").replace(
        "list(Path(d).iterdir())", "Path(d).iterdir()"
    ).replace("list(glob.iglob(d + '/*'))", "glob.iglob(d + '/*')").replace("list(csv.reader(file))", "csv.reader(file)").replace(
        "list(csv.DictReader(file))", "csv.DictReader(file)"
    ).replace("list(file)", "file")  # fmt: skip
    assert new != HEAD + text
    assert fixed("FW202", new) == new


@pytest.mark.parametrize("text", CHANGED.values(), ids=CHANGED)
def test_of_folders_it_does_the_same(fixed, outcome, tmp_path, text):
    """Of any files, both give the same."""
    head = HEAD.replace(", redis", "")
    before = head + text
    after, count = fixed("FW202", before), iter(range(10_000))

    @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(st.sampled_from(["a.txt", "b.txt", "c", "d.e", ".f"]), st.binary(max_size=3)))
    def same(files):
        folder = tmp_path / f"d{next(count)}"
        folder.mkdir()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        assert outcome(before, str(folder)) == outcome(after, str(folder))

    same()


@pytest.mark.parametrize("text", LINES.values(), ids=LINES)
def test_of_lines_it_does_the_same(fixed, outcome, tmp_path, text):
    """Of any bytes, both give the same or raise the same."""
    before = HEAD.replace(", redis", "") + text
    after, path = fixed("FW202", before), tmp_path / "data"

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(st.binary(max_size=40), st.text(st.sampled_from('a,"\n\r'), max_size=30).map(str.encode)))
    def same(data):
        path.write_bytes(data)
        assert outcome(before, str(path)) == outcome(after, str(path))

    same()
