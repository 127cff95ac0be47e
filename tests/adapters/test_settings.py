"""adapters.settings: what may be said about a service, and what is refused with a way out."""

from __future__ import annotations

import pytest

from flatwater import errors, limits
from flatwater.adapters.settings import page_path_of, paths_of, settings_of, token_of


def refused(work, *given, **more):
    with pytest.raises(errors.UsageError) as raised:
        work(*given, **more)
    assert raised.value.hint
    return str(raised.value)


def test_settings_are_a_dict_of_arguments():
    """As they are; an empty one says nothing."""
    assert settings_of({"budget": "1 GiB", "token": "t"}, ["budget", "token"]) == {"budget": "1 GiB", "token": "t"}
    assert settings_of({}, ["budget"]) == {}


def test_an_unknown_setting_is_named_beside_those_that_there_are():
    """A typing error must not leave a service without its budget."""
    told = refused(settings_of, {"budgt": "1 GiB", 5: 6}, ["budget", "token"])
    assert "'budgt', 5" in told
    assert "budget, token" in told


@pytest.mark.parametrize("found", [5, None, "512 MiB", ["budget"]])
def test_settings_that_are_no_dict(found):
    """What was given is named."""
    assert repr(found) in refused(settings_of, found, ["budget"])


@pytest.mark.parametrize("token", ["s3cret", "p@ss, with a comma", "x" * 500])
def test_a_token_of_visible_ascii(token):
    """Is taken as it is."""
    assert token_of(token) == token
    assert token_of(None) == ""


@pytest.mark.parametrize("token", ["", " ", "é", "s3cret\n", " s3cret", "s3\tcret", "s3\x00cret", 5, True, b"s3cret"])
def test_a_token_that_no_request_could_carry(token):
    """Is refused, and not repeated; an empty one would stand for no token at all."""
    told = refused(token_of, token)
    assert "s3" not in told
    assert "é" not in told


def test_a_page_has_one_path_or_none():
    """Two ways to say none."""
    assert [page_path_of(path, what="health") for path in ("/h", "", None)] == ["/h", "", ""]


@pytest.mark.parametrize("path", [True, False, 3, b"/h", ["/h"], "h"])
def test_what_is_no_path_of_a_page(path):
    """With the argument that was set."""
    assert refused(page_path_of, path, what="metrics").startswith("metrics: ")


@pytest.mark.parametrize("path", ["/h?full", "/h#top", "/h?a#b?c"])
def test_a_path_that_no_request_has(path):
    """It would stand for nothing, without a word."""
    with pytest.raises(errors.UsageError, match="no path of a request") as raised:
        page_path_of(path, what="health")
    assert raised.value.hint == "Write '/h'."


def test_one_path_is_a_list_of_one():
    """And not a list of its letters."""
    assert paths_of("/live", what="always") == paths_of(iter(["/live"]), what="always") == ("/live",)
    assert paths_of("", what="always") == paths_of((), what="always") == ()


@pytest.mark.parametrize("paths", [3, None, True, [3], ["live"], "live", b"/live", [""]])
def test_what_is_no_list_of_paths(paths):
    """With the argument that was set."""
    assert refused(paths_of, paths, what="always").startswith("always")


def test_too_many_paths():
    """Each is compared with each refused request."""
    assert len(paths_of([f"/{n}" for n in range(limits.WEB_PATHS_MAX)], what="always")) == limits.WEB_PATHS_MAX
    with pytest.raises(errors.LimitReached, match="always"):
        paths_of([f"/{n}" for n in range(limits.WEB_PATHS_MAX + 1)], what="always")
