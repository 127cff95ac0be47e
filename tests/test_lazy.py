import subprocess
import sys

import pytest

import flatwater
from flatwater import budget, ingest, lazy, meter, watch, worker


@pytest.mark.parametrize(
    "package", [flatwater, budget, ingest, meter, watch, worker], ids=lambda package: package.__name__
)
def test_each_name_is_what_it_says(package):
    """Every public name can be had, dir() shows exactly them, and none is shadowed by a submodule."""
    assert dir(package) == sorted(package.__all__)
    for name in package.__all__:
        value = getattr(package, name)
        if name in package._HOMES:
            assert getattr(value, "__name__", name) == name
            assert type(value).__name__ != "module"


def test_an_unknown_name_is_an_attribute_error():
    """So that hasattr, copy and doctest work as with any module."""
    assert not hasattr(meter, "nothing")
    with pytest.raises(AttributeError, match=r"flatwater\.meter"):
        _ = meter.nothing


def test_a_name_stays_once_it_was_used():
    """The second use is an ordinary attribute."""
    get, listed = lazy.names("flatwater.meter", {"Probe": "flatwater.meter.probe"})
    assert get("Probe") is vars(meter)["Probe"]
    assert listed() == ["Probe"]


def test_submodules_do_not_hide_names():
    """Importing every module of a floor first changes no name."""
    program = (
        "import pkgutil, importlib, flatwater as fw\n"
        "for floor in ('budget', 'meter', 'watch', 'worker'):\n"
        "    package = importlib.import_module('flatwater.' + floor)\n"
        "    for found in pkgutil.iter_modules(package.__path__):\n"
        "        importlib.import_module(f'flatwater.{floor}.{found.name}')\n"
        "    for name in package.__all__:\n"
        "        assert type(getattr(package, name)).__name__ != 'module', (floor, name)\n"
        "with fw.measure('x', gc=False): pass\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
