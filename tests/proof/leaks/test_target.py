"""proof.leaks.target: a function found by its name."""

from __future__ import annotations

import sys

import pytest

from flatwater import errors
from flatwater.proof.leaks.target import resolve


@pytest.fixture(autouse=True)
def clean_imports(monkeypatch):
    """Modules and path entries of a test go with it."""
    known, path = set(sys.modules), list(sys.path)
    yield
    for name in set(sys.modules) - known:
        del sys.modules[name]
    sys.path[:] = path


def test_files_and_modules(tmp_path):
    """A file's function, with its neighbours importable; a module's; a method by its dotted name; twice the same."""
    (tmp_path / "neighbour_of_jobs.py").write_text("VALUE = 7\n")
    path = tmp_path / "leak_jobs.py"
    path.write_text(
        "import neighbour_of_jobs\ndef load():\n    return neighbour_of_jobs.VALUE\nclass A:\n    m = staticmethod(load)\n"
    )
    assert resolve(f"{path}::load")() == 7
    assert resolve(f"{path}::A.m") is resolve(f"{path}::load")
    assert resolve("leak_jobs:load") is resolve(f"{path}::load")
    assert resolve("os.path:join").__name__ == "join"


def test_names_do_not_clash(tmp_path):
    """Two files of one name, and one with the name of a module of Python, are modules of their own."""
    for folder, value in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "leak_same.py").write_text(f"def load():\n    return {value}\n")
    (tmp_path / "json.py").write_text("def load():\n    return 3\n")
    assert resolve(f"{tmp_path}/a/leak_same.py::load")() == 1
    assert resolve(f"{tmp_path}/b/leak_same.py::load")() == 2
    assert resolve(f"{tmp_path}/json.py::load")() == 3
    assert sys.modules["json"].dumps


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("jobs", "names no function"),
        ("no_such_file.py::load", "no file"),
        ("no_such_module_here:load", "no module"),
        ("json:nothing", "no function 'nothing'. It has"),
        ("json:__name__", "cannot be called"),
        ("a b:load", "no name of a module"),
    ],
)
def test_what_cannot_be_found(text, words):
    """Each mistake is told, with what to write."""
    with pytest.raises(errors.UsageError, match=words):
        resolve(text)


@pytest.mark.parametrize(
    "code", ["1 / 0", "import no_such_thing_at_all", "raise SystemExit(1)", "raise GeneratorExit", "def ("]
)
def test_what_cannot_be_imported(tmp_path, code):
    """A file that fails while it is imported is told with its error, and leaves no half module behind."""
    path = tmp_path / "leak_broken.py"
    path.write_text(code + "\n")
    with pytest.raises(errors.UsageError, match=r"importing .* failed") as caught:
        resolve(f"{path}::load")
    assert caught.value.__cause__ is not None
    assert "leak_broken" not in sys.modules
