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


def test_a_library_that_is_missing_is_named_with_its_extra():
    """A name whose module needs a library says what to install; other errors of an import are as they are."""
    program = (
        "import sys\n"
        "sys.modules['sqlglot'] = None\n"
        "import flatwater as fw\n"
        "for get in (lambda: fw.Database, lambda: fw.live.Database, lambda: fw.live.Subscription):\n"
        "    try:\n"
        "        get()\n"
        "    except ImportError as error:\n"
        "        print(type(error).__name__, error.extra, error.needs)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["MissingExtra live sqlglot"] * 3


def test_a_module_that_is_missing_is_pythons_own_error():
    """One of the package's own, or one that no extra is known for."""
    get, _ = lazy.names("flatwater.meter", {"Own": "flatwater.nothing", "Other": "nothing_at_all"}, (), lambda *_: None)
    for name in ("Own", "Other"):
        with pytest.raises(ModuleNotFoundError, match="nothing"):
            get(name)
