"""proof.scenarios: what people name, give and write."""

from __future__ import annotations

import functools
import json
import pickle
import sys
import threading
from pathlib import Path

import cloudpickle
import pytest

from flatwater import errors, limits
from flatwater.proof import scenarios
from flatwater.proof.scenarios import Scenario, pickled, scenario_of, scenarios_in


class Loader:
    """A class as people have them."""

    def __init__(self, step=1):
        self.step = step

    def __call__(self, n):
        return n * self.step

    def load(self, n):
        return n * self.step

    @classmethod
    def made(cls, n):
        return cls(n).step


def top(n):
    return n + len(json.dumps(n))


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


@decorated
def wrapped(n):
    return n


async def waits(n):
    return n


def test_names_of_functions(tmp_path, monkeypatch):
    """module:function and file.py::function, dotted too; a file by its real path, a module with the folder it was named in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my job.py").write_text("")
    assert scenario_of("package.jobs:Loader.load") == Scenario(
        "package.jobs:Loader.load", ("module", "package.jobs", "Loader.load", str(tmp_path))
    )
    assert scenario_of("my job.py::Loader.load") == Scenario(
        "my job.py::Loader.load", ("file", str(tmp_path / "my job.py"), "Loader.load")
    )
    assert scenario_of(scenario_of("json:loads")).name == "json:loads"


def test_a_path_with_a_colon_is_a_path(tmp_path):
    """Two colons separate the file, whatever else is in its name."""
    path = tmp_path / "a:b.py"
    path.write_text("")
    assert scenario_of(f"{path}::load").target == ("file", str(path), "load")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "'' is not the name of a function"),
        ("load", "'load' is not the name of a function"),
        ("jobs:", "'jobs:' is not the name"),
        (":load", "':load' is not the name"),
        ("jobs:load()", "'jobs:load()' is not the name"),
        ("jobs:load:more", "is not the name"),
        ("jobs.py:load", None),
        ("none.py::load", "'none.py': there is no such file"),
        ("::load", "is a directory"),
        ("jobs.py::", "names no function after '::'"),
        ("jobs.py::load(3)", "names no function after '::'"),
        (".::load", "is a directory"),
        ("/etc/hostname::load", "is not a Python file"),
        (7, "7 cannot be run"),
        (None, "None cannot be run"),
        ({"a": 1}, "cannot be run"),
        ([], "[] is not a command"),
        (["node", 3, "{n}"], "is not a command: a list of words"),
        (["node", "job.js"], "'node job.js' has no {n} in it"),
        (b"node {n}", "is not a command"),
    ],
)
def test_what_is_none(value, says, tmp_path, monkeypatch):
    """Each is refused in a sentence that names what was given, and says how to write one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobs.py").write_text("")
    if says is None:  # jobs.py:load is a module "jobs.py" to Python
        assert scenario_of(value).target[:3] == ("module", "jobs.py", "load")
        return
    with pytest.raises(errors.UsageError) as caught:
        scenario_of(value, what="setup")
    assert says in str(caught.value)
    assert str(caught.value).startswith("setup: ")
    assert "{n}" in caught.value.hint or "::" in caught.value.hint


def test_commands():
    """Each {n} in each word becomes the number; paths are words; nothing else changes."""
    command = scenario_of([Path("a b"), "{n}", "--rows={n},{n}", "{m}", "ü {n} $n %d", ""])
    assert command.target is None
    assert command.words(1000) == ["a b", "1000", "--rows=1000,1000", "{m}", "ü 1000 $n %d", ""]
    assert command.name == "a b {n} --rows={n},{n} {m} ü {n} $n %d "


def test_an_importable_function_goes_by_name():
    """A function that a fresh process finds by import is not pickled; neither is one written in C."""
    assert scenario_of(json.dumps) == Scenario("dumps", ("module", "json", "dumps"))
    assert scenario_of(cloudpickle.CloudPickler.dump).target[0] == "module"
    assert scenario_of(len).target == ("module", "builtins", "len")


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (top, "top"), (wrapped, "wrapped"), (waits, "waits"), (Loader, "Loader"), (Loader(3), "Loader"),
        (Loader(3).load, "Loader.load"), (Loader.made, "Loader.made"), (functools.partial(top, 3), "partial"),
        (lambda n: n, "<lambda>"), ([].append, "list.append"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_goes_by_value(function, name, monkeypatch):
    """Lambdas, methods, objects, and functions of a test module that import cannot find are pickled, and keep a name."""
    above = Path(__file__).resolve().parents  # below one of these, import might find this module after all
    monkeypatch.setattr(sys, "path", [place for place in sys.path if Path(place).resolve() not in above])
    scenario = scenario_of(function)
    assert scenario.target[0] == "pickle"
    assert scenario.name.endswith(name)
    assert callable(pickle.loads(scenario.target[1]))
    assert __name__ not in cloudpickle.list_registry_pickle_by_value()


def test_a_function_of_main_goes_by_value(monkeypatch):
    """__main__ of another process is another module."""
    monkeypatch.setattr(top, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "top", top, raising=False)
    assert scenario_of(top).target[0] == "pickle"


def test_what_cannot_be_sent_is_named():
    """A function that holds a lock is refused, with the reason and the way out."""
    lock = threading.Lock()
    with pytest.raises(errors.UsageError, match=r"cannot be sent to a fresh process.*lock.*Open files, locks"):
        scenario_of(lambda n: (n, lock))
    assert __name__ not in cloudpickle.list_registry_pickle_by_value()


def test_what_is_too_large_to_send(monkeypatch):
    """Data that the function refers to is bounded."""
    monkeypatch.setattr(limits, "PROOF_MADE_BYTES_MAX", 1 << 20)
    data = bytes(1 << 21)
    with pytest.raises(errors.UsageError, match=r"2\.0 MiB go with the function.*setup="):
        pickled(lambda n: data[n], "scenario")


def test_all_functions_of_a_file(tmp_path, monkeypatch):
    """Its public top-level functions whose first parameter is n, in their order, found without importing it."""
    path = tmp_path / "jobs.py"
    path.write_text(
        "raise SystemExit\ndef b(n): pass\ndef _hidden(n): pass\ndef other(m): pass\ndef none(): pass\n"
        "async def a(n, /, more=1): pass\ndef key(*, n): pass\nclass K:\n def m(self, n): pass\n"
        "def outer(n):\n def inner(n): pass\n"
    )
    assert [scenario.name for scenario in scenarios_in(str(path))] == [
        f"{path}::{name}" for name in ("b", "a", "outer")
    ]
    assert [scenario.name for scenario in scenarios_in(f"{path}::other")] == [f"{path}::other"]
    assert [scenario.name for scenario in scenarios_in("json:loads")] == ["json:loads"]
    monkeypatch.setattr(limits, "PROOF_SCENARIOS_MAX", 2)
    with pytest.raises(errors.UsageError, match="has 3 of them; at most 2"):
        scenarios_in(str(path))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no public function has n as its first parameter.*Name one: .*::function"),
        ("X = 1\n", "no public function"),
        ("def load(n: return", "cannot be read as Python"),
        ("\0", "cannot be read as Python"),
    ],
)
def test_a_file_with_none(tmp_path, text, says):
    """A file without such functions, or with no Python in it, is refused in a sentence."""
    path = tmp_path / "jobs.py"
    path.write_text(text)
    with pytest.raises(errors.UsageError, match=says):
        scenarios_in(str(path))


def test_a_finder_that_fails_is_somebody_elses(monkeypatch):
    """An import hook of somebody's that raises does not keep a function from being found."""

    class Broken:
        def find_spec(self, *_):
            raise RuntimeError

    monkeypatch.setattr(sys, "meta_path", [Broken(), object(), *sys.meta_path])
    assert scenarios._is_importable(json.dumps, "json", "dumps")
