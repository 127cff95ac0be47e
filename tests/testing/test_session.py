"""testing.session: what a point is told of the session's start."""

from __future__ import annotations

import pytest

from flatwater.testing import session as this


class Manager:
    """A plugin manager that knows some names."""

    def __init__(self, *names):
        self.names = names

    def hasplugin(self, name):
        return name in self.names


class Config:
    """As much of pytest's as is asked for."""

    def __init__(self, args, directory, *, plugins=(), options=(), **values):
        self.invocation_params = pytest.Config.InvocationParams(args=args, plugins=None, dir=directory)
        self.pluginmanager = Manager(*plugins)
        self.option = type("Option", (), {**dict.fromkeys(options), **values})()
        self.stash = pytest.Stash()


def test_our_arguments_stand_before_the_paths(tmp_path):
    """What was typed stays; ours come last among the options, where they count."""
    request = this.request_for(Config(["-s", "--", "-odd.py"], tmp_path, plugins=["cacheprovider"], options=["no_cov"]))
    assert (request["typed"], request["paths"]) == (["-s"], ["--", "-odd.py"])
    assert request["ours"] == [
        "-p", "flatwater.testing.child", "--capture=fd", "-o", "cache_dir=<folder>/cache", "--no-cov",
    ]  # fmt: skip


def test_options_of_plugins_that_are_not_there_are_not_given(tmp_path):
    """pytest refuses options that it does not know."""
    request = this.request_for(Config([tmp_path], tmp_path))
    assert request["ours"] == ["-p", "flatwater.testing.child", "--capture=fd"]
    assert request["typed"] == [str(tmp_path)]


@pytest.mark.parametrize(("seed", "given"), [(417, ["--randomly-seed=417"]), ("default", [])])
def test_the_seed_that_was_told_is_that_of_the_points(tmp_path, seed, given):
    """What pytest-randomly drew for the session holds in all points; before it drew, there is none to pass on."""
    request = this.request_for(Config([], tmp_path, randomly_seed=seed))
    assert [word for word in request["ours"] if "seed" in word] == given


def test_the_environment_is_that_of_the_start(tmp_path, monkeypatch):
    """What tests change later is not in it, nor what makes a process a worker, covered or a point."""
    for name in ("PYTEST_XDIST_WORKER", "COV_CORE_SOURCE", "COVERAGE_PROCESS_START", "FLATWATER_POINT", "KEPT"):
        monkeypatch.setenv(name, "1")
    config = Config([], tmp_path)
    this.remember(config)
    monkeypatch.setenv("LATER", "1")
    environment = this.request_for(config)["environment"]
    assert environment["KEPT"] == "1"
    assert environment["FLATWATER_RUN"] == "1"
    dropped = {"PYTEST_XDIST_WORKER", "COV_CORE_SOURCE", "COVERAGE_PROCESS_START", "FLATWATER_POINT", "LATER"}
    assert dropped & set(environment) == set()
    assert "PYTEST_CURRENT_TEST" not in environment
