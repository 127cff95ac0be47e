"""What the tests of stores share: each backend that is here, and stores that are closed whatever happens."""

from __future__ import annotations

import pytest

from flatwater import errors
from flatwater.store.store import Store

BACKENDS = ("lmdb", "rocksdb")
_missing: dict[str, str] = {}  # why a backend cannot be had; empty if it can


@pytest.fixture(params=BACKENDS)
def backend(request, tmp_path_factory):
    """The name of a backend; tests run for each of them, and skip loudly where its library is not installed."""
    name = request.param
    if name not in _missing:
        try:
            Store(tmp_path_factory.mktemp("probe") / "s", backend=name).close()
            _missing[name] = ""
        except errors.MissingExtra as error:
            _missing[name] = str(error)
    if _missing[name]:
        pytest.skip(f"no {name}: {_missing[name]}")
    return name


@pytest.fixture
def opened(backend, tmp_path):
    """A function that opens a store of this backend below tmp_path; "off", for no test here cuts the power."""
    stores = []

    def open_(name="s", **options):
        options.setdefault("sync", "off")
        stores.append(Store(tmp_path / name, backend=backend, **options))
        return stores[-1]

    yield open_
    for each in stores:
        each.close()


@pytest.fixture
def store(opened):
    """An empty store of bytes."""
    return opened()
