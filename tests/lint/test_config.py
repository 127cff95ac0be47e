"""What pyproject.toml says to the linter."""

from __future__ import annotations

import pytest

from flatwater import errors, limits
from flatwater.lint import config
from flatwater.lint.finding import Confidence


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A function that writes a pyproject.toml into an empty working directory."""
    monkeypatch.chdir(tmp_path)

    def make(text, folder="."):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "pyproject.toml").write_text(text)
        return tmp_path / folder

    return make


WHOLE = """
[tool.flatwater.lint]
select = ["FW1", "unbounded-cache"]
ignore = ["fw103"]
exclude = ["vendor"]
confidence = "maybe"
include-tests = true
baseline = "known.json"

[tool.flatwater.lint.per-file-ignores]
"src/old/*" = ["FW101"]
"""


def test_all_keys(project):
    """Each key has its place; codes may be names of rules; the baseline is beside the file."""
    root = project(WHOLE)
    settings = config.find(["."])
    assert settings.select == ("FW1", "FW302")
    assert (settings.ignore, settings.exclude, settings.confidence) == (("FW103",), ("vendor",), Confidence.MAYBE)
    assert settings.per_file_ignores == (("src/old/*", ("FW101",)),)
    assert (settings.include_tests, settings.baseline) == (True, str(root / "known.json"))
    assert settings.root == str(root)


def test_the_nearest(project, tmp_path):
    """The nearest with the table counts; one without it is passed by."""
    project('[tool.flatwater.lint]\nselect = ["FW1"]')
    inner = project("[project]\nname = 'inner'", "packages/inner")
    assert config.find([str(inner)]).select == ("FW1",)
    project('[tool.flatwater.lint]\nselect = ["FW2"]', "packages/inner")
    assert config.find([str(inner)]).select == ("FW2",)
    assert config.find([str(inner), str(tmp_path)]).select == ("FW1",)


def test_a_repository_is_the_end(project, tmp_path):
    """Above a .git nothing is looked for."""
    project('[tool.flatwater.lint]\nselect = ["FW1"]')
    (tmp_path / "repository/.git").mkdir(parents=True)
    settings = config.find([str(tmp_path / "repository")])
    assert (settings.select, settings.root) == (("FW",), str(tmp_path / "repository"))


def test_a_file(project, tmp_path):
    """Of a file that is named its folder counts."""
    project('[tool.flatwater.lint]\nselect = ["FW1"]', "a")
    (tmp_path / "a/b.py").write_text("")
    assert config.find([str(tmp_path / "a/b.py")]).select == ("FW1",)


WRONG = {
    "a key that is nearly one": ('selct = ["FW1"]', r"'selct' is no setting. Did you mean 'select'?"),
    "a key with another dash": ("include_tests = true", r"Did you mean 'include-tests'?"),
    "a key of something else": ("colour = 1", r"'colour' is no setting. The keys are select, ignore"),
    "no rule": ('select = ["E501"]', r"no rule is called 'E501'"),
    "nearly a rule": ('ignore = ["FW11"]', r"no rule is called 'FW11'. Did you mean FW101?"),
    "nearly the name of a rule": (
        'ignore = ["rows-fetch"]',
        r"no rule is called 'rows-fetch'. Did you mean rows-fetched?",
    ),
    "nothing selected": ("select = []", "it names no rule"),
    "no list": ('select = "FW1"', r"'FW1' is no list of texts"),
    "a number in a list": ("select = [101]", r"\[101\] is no list of texts"),
    "no confidence": ('confidence = "high"', 'Say "sure", "likely" or "maybe"'),
    "a confidence that is a list": ('confidence = ["sure"]', 'Say "sure", "likely" or "maybe"'),
    "no truth": ('include-tests = "yes"', "neither true nor false"),
    "no file": ("baseline = 1", "1 is no file name"),
    "no table": ('per-file-ignores = ["FW1"]', "it is no table"),
}


@pytest.mark.parametrize(("line", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong(project, line, said):
    """It is said where, and what was meant."""
    project(f"[tool.flatwater.lint]\n{line}\n")
    with pytest.raises(errors.UsageError, match=said) as caught:
        config.find(["."])
    assert "pyproject.toml" in str(caught.value)


BESIDE = {
    "a name that is nearly one": "[tool.flatwater.lnt]",
    "a setting above its table": '[tool.flatwater]\nselect = ["FW1"]',
    "a setting above its table, which is there": '[tool.flatwater]\nexclude = ["vendor"]\n[tool.flatwater.lint]',
}


@pytest.mark.parametrize("text", BESIDE.values(), ids=BESIDE)
def test_beside_the_table(project, text):
    """What would be read by nobody is told, and where it belongs."""
    project(text)
    with pytest.raises(errors.UsageError, match=r"nothing that is read. Did you mean \[tool.flatwater.lint\]"):
        config.find(["."])


BROKEN = {
    "no TOML": "[tool.flatwater",
    "no UTF-8": b"\xff",
    "a table that is a list": "[tool.flatwater]\nlint = []",
    "a tool that is a number": "tool = 1",
    "too much": "#" * (limits.LINT_CONFIG_BYTES_MAX + 1),
    "too deep": "a = " + "[" * 20_000,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read(tmp_path, text):
    """A file that is broken is told, not passed by."""
    (tmp_path / "pyproject.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(errors.UsageError, match=r"pyproject\.toml"):
        config.find([str(tmp_path)])


def test_a_named_file(project, tmp_path):
    """It must be there, and have the table."""
    root = project('[tool.flatwater.lint]\nselect = ["FW1"]')
    assert config.read(str(root / "pyproject.toml")).select == ("FW1",)
    project("[project]", "b")
    with pytest.raises(errors.UsageError, match=r"has no \[tool.flatwater.lint\]"):
        config.read(str(tmp_path / "b/pyproject.toml"))
    with pytest.raises(errors.UsageError, match="is no file"):
        config.read(str(tmp_path / "c"))
