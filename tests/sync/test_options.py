"""What may be chosen, and what may not."""

from __future__ import annotations

import pytest

from flatwater import errors
from flatwater.sync.options import Options, from_file, share_of


@pytest.mark.parametrize(
    "wrong",
    [
        {"workers": 0}, {"workers": 10_000}, {"workers": "x"}, {"list_workers": 0}, {"tries": 0}, {"tries": 10_000}, {"levels": -1},
        {"levels": 99}, {"compare": "colour"}, {"verify": "nothing"}, {"durability": "maybe"}, {"delete": "yes"}, {"bytes": "many"},
        {"bytes": -1}, {"bandwidth": "-1"}, {"requests_per_s": -1}, {"requests_per_s": float("inf")}, {"requests_per_s": True},
        {"requests_per_s": float("nan")}, {"alert_growth": "much"}, {"alert_growth": -1}, {"alert_rss": "x"}, {"rescan": 2}, {"bytes": 0},
        {"bandwidth": False}, {"alert_growth": 20}, {"alert_growth": "20"}, {"source_options": "ab"}, {"source_options": 5},
        {"source_options": [["a", "b"]]}, {"destination_options": {1: "x"}}, {"destination_options": {"a": ["x"]}},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_choice(wrong):
    """It is refused by its name."""
    with pytest.raises(errors.UsageError, match=next(iter(wrong))):
        Options(**wrong)


def test_texts_become_numbers():
    """Of bytes and shares."""
    options = Options(
        bytes="2 MiB", bandwidth="1 MB", alert_rss="1 GiB", alert_growth="20%", levels=0, requests_per_s=0.5
    )
    assert (options.bytes, options.bandwidth, options.alert_rss, options.alert_growth) == (2 << 20, 10**6, 1 << 30, 0.2)
    assert (share_of(None, "x"), share_of(0.5, "x"), share_of("150%", "x")) == (None, 0.5, 1.5)


def test_options_of_remotes_are_texts():
    """What a TOML file calls true or a number, and no secret is shown."""
    options = Options(source_options={"anonymous": True, "timeout_s": 3, "password": "top secret"})
    assert options.source_options == {"anonymous": "true", "timeout_s": "3", "password": "top secret"}
    assert "secret" not in repr(options)


def test_a_home_in_a_file(tmp_path, monkeypatch):
    """No shell has put it in the place of the tilde."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "sync.toml"
    path.write_text('source = "~/a"\ndestination = "sftp://host/~/b"\nstate = "~/.st"\n')
    assert from_file(path) == {
        "source": f"{tmp_path}/a",
        "destination": "sftp://host/~/b",
        "state": f"{tmp_path}/.st",
    }


def test_a_file_of_options(tmp_path):
    """Any of them by its name, and where from and to."""
    path = tmp_path / "sync.toml"
    path.write_text(
        'source = "a"\ndestination = "b"\nworkers = 3\nexclude = ["*.tmp"]\n[source_options]\nendpoint = "x"\n'
    )
    found = from_file(path)
    assert found == {
        "source": "a",
        "destination": "b",
        "workers": 3,
        "exclude": ["*.tmp"],
        "source_options": {"endpoint": "x"},
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("source = 5", "source is no text"),
        ("state = ['a']", "state is no text"),
        ("x = ", "no TOML"),
        ("wrokers = 3", "which is no option"),
        ("x" * 2_000_000, "too large"),
        (b"\xff", "no TOML"),
    ],
)
def test_a_file_that_is_none(tmp_path, text, says):
    """It is said why."""
    path = tmp_path / "sync.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(errors.UsageError, match=says):
        from_file(path)
    with pytest.raises(errors.BrokenError, match="cannot be read"):
        from_file(tmp_path / "none")
