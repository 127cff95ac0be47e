"""Both engines, and the layer for long keys, are what the store asks for: every method, with the arguments it passes."""

from __future__ import annotations

import inspect

import pytest

from flatwater.store.engines import base

METHODS = [name for name, value in vars(base.Engine).items() if inspect.isfunction(value) and not name.startswith("_")]


def classes():
    from flatwater.store.engines.lmdb import LmdbEngine

    found = [LmdbEngine]
    try:
        from flatwater.store.engines.rocksdb import RocksdbEngine
    except ImportError as error:
        found.append(pytest.param(None, marks=pytest.mark.skip(reason=f"no rocksdb: {error}"), id="RocksdbEngine"))
    else:
        found.append(RocksdbEngine)
    return found


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("engine", classes())
def test_an_engine_has_every_method(engine, name):
    """Each method of the interface is there, with parameters of the same names, kinds and order."""
    asked = inspect.signature(getattr(base.Engine, name)).parameters
    given = inspect.signature(getattr(engine, name)).parameters
    assert [(each.name, each.kind) for each in given.values()] == [(each.name, each.kind) for each in asked.values()]
    assert (getattr(engine, name).__doc__ or "").strip()


def test_the_store_s_own_head_is_below_all_others():
    """Heads have three bytes, and no key of a partition begins with the one that the store keeps its names under."""
    assert len(base.SYSTEM) == base.HEAD_BYTES
    assert base.SYSTEM < b"\x02\x02\x03"
    assert min(base.SYSTEM) > 1


def test_an_unknown_mark_equals_no_version():
    """UNKNOWN is no number that an engine gives, so that comparing it always means reading again."""
    assert base.UNKNOWN < 0
    assert base.UNKNOWN + 1 <= 0
