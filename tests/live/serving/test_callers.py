"""What a server is told about who calls it."""

import re

import pytest

from flatwater import errors
from flatwater.live.serving.callers import checked_hosts, checked_origins, checked_proxies


def test_what_matches():
    """Names, origins and addresses as they stand in requests are taken as they are."""
    hosts = [
        "*",
        "db.example",
        "DB.example:8642",
        "localhost",
        "10.0.0.2",
        "[::1]",
        "[fe80::1]:80",
        "my_host",
        "a-b.c.",
    ]
    assert checked_hosts(hosts) == hosts
    origins = [
        "https://app.example", "http://localhost:5173", "https://[::1]:8443", "capacitor://localhost", "http://a:443",
    ]  # fmt: skip
    assert checked_origins(origins) == origins
    proxies = ["*", "10.0.0.2", "::1", "10.0.0.0/24", "fd00::/8"]
    assert checked_proxies(proxies) == proxies
    assert checked_hosts(()) == checked_origins(()) == checked_proxies(()) == []


@pytest.mark.parametrize(
    ("check", "given", "hint"),
    [
        (checked_hosts, "https://db.example", "the name alone"),
        (checked_hosts, "db.example/path", "the name alone"),
        (checked_hosts, "::1", "[::1]"),
        (checked_hosts, "two words", "as clients write it"),
        (checked_hosts, "", "as clients write it"),
        (checked_hosts, "-a", "as clients write it"),
        (checked_hosts, 5, "as clients write it"),
        (checked_origins, "nonsense", "https://app.example"),
        (checked_origins, "https://a.example/path", "no path: https://a.example."),
        (checked_origins, "https://a.example/", "no path: https://a.example."),
        (checked_origins, "https://a.example:443", "away: https://a.example."),
        (checked_origins, "http://a.example:80", "away: http://a.example."),
        (checked_origins, "https://", "https://app.example"),
        (checked_origins, "https:///x", "https://app.example"),
        (checked_origins, "https://user@a.example", "https://app.example"),
        (checked_origins, "https://ü.example", "https://app.example"),
        (checked_origins, "*", "Name each"),
        (checked_origins, "null", "Name each"),
        (checked_origins, None, "https://app.example"),
        (checked_proxies, "nonsense", "not its name"),
        (checked_proxies, "10.0.0.256", "not its name"),
        (checked_proxies, "10.0.0.2/24", "10.0.0.0/24"),
        (checked_proxies, "10.0.0.2/99", "not its name"),
        (checked_proxies, "", "not its name"),
        (checked_proxies, 7, "not its name"),
    ],
)
def test_what_never_matches(check, given, hint):
    """It is refused, with the form that was meant."""
    with pytest.raises(errors.UsageError, match="never matches") as found:
        check([given])
    assert hint in found.value.hint


@pytest.mark.parametrize("check", [checked_hosts, checked_origins, checked_proxies])
def test_a_text_where_a_list_is_meant(check):
    """It is refused: its letters are no list."""
    with pytest.raises(errors.UsageError, match=re.escape("is a text")) as found:
        check("localhost")
    assert "['localhost']" in found.value.hint
