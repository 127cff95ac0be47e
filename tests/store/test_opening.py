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
