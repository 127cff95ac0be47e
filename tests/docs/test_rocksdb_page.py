"""The page of RocksDB: its code runs, and its predictions are what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

from flatwater.store.engines.rocksdb_options import KEYS, Tuning
from flatwater.store.explaining import explain

PAGE = (Path(__file__).parent.parent.parent / "docs" / "rocksdb.md").read_text("utf-8")


def test_the_code_of_the_page(tmp_path, monkeypatch, capsys):
    """Its blocks run one after another, as a reader types them."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    exec(compile("\n".join(blocks), "rocksdb.md", "exec"), {})
    assert "[(('users', 17), b'Ada')]" in capsys.readouterr().out


def test_the_predictions_of_the_page():
    """Line by line."""
    assert str(explain("rocksdb", 1_000)) in PAGE
    assert str(explain("rocksdb", 50, per_table_families=True)) in PAGE


def test_each_key_is_explained_with_its_default():
    """The five of them, in a table; and what the least is."""
    for key in KEYS:
        row = re.search(rf"^\| `{key}` \| ([^|]+) \|", PAGE, re.MULTILINE)
        value = getattr(Tuning(), key)
        assert row[1].strip() == (f"{value >> 20} MiB" if key.endswith("_size") else str(value))
    assert f"the least is about\n{Tuning.of(None, 0).bytes_max() >> 20} MiB in all" in PAGE
