"""store.opening: the engine that a directory names, and what is said where its library is missing."""

from __future__ import annotations

import sys

import pytest

from flatwater import errors
from flatwater.store.store import Store


@pytest.mark.parametrize(("backend", "module"), [("lmdb", "lmdb"), ("rocksdb", "rocksdict")])
def test_a_missing_library_is_an_extra(tmp_path, monkeypatch, backend, module):
    """The error is the line that installs it, and no half-made store stays in the way."""
    for name in list(sys.modules):
        if name == module or name.startswith(("flatwater.store.engines", f"{module}.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(errors.MissingExtra, match=rf"needs {module}.*pip install 'flatwater\[store\]'"):
        Store(tmp_path / "s", backend=backend)


def test_options_are_rocksdbs(tmp_path):
    """LMDB has none: they are refused, not passed over."""
    with pytest.raises(errors.UsageError, match="options are RocksDB's"):
        Store(tmp_path / "s", options={"block_cache_size": 1 << 20})


def test_options_that_are_refused_change_nothing(tmp_path):
    """Of a store that is there, too: they are looked at before its files are opened."""
    pytest.importorskip("rocksdict")
    with Store(tmp_path / "s", backend="rocksdb") as store:
        store.put(("a",), b"1")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "s" / "rocksdb").iterdir()}
    with pytest.raises(errors.UsageError, match="'a' is no option"):
        Store(tmp_path / "s", options={"a": 1})
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "s" / "rocksdb").iterdir()} == before
    with Store(tmp_path / "s") as store:
        assert store.get(("a",)) == b"1"
