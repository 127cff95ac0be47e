"""What a user types for an FTP server."""

from __future__ import annotations

import pytest

from flatwater import errors
from flatwater.sync.remotes.ftp_url import target


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Without a ~/.netrc of our own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("url", "root", "shown"),
    [
        ("ftp://h", b"", "ftp://h/"),
        ("ftp://u:p@h:2121/a/b/", b"a/b", "ftp://u@h:2121/a/b"),
        ("ftp://u@h/%2Fsrv/x", b"/srv/x", "ftp://u@h/%2Fsrv/x"),
        ("ftp://u@h//srv/x", b"/srv/x", "ftp://u@h/%2Fsrv/x"),
        ("ftp://u@[::1]/a%20b%FE", b"a b\xfe", "ftp://u@[::1]/a%20b%FE"),
        ("ftps://h:21/", b"", "ftps://h/"),
    ],
)
def test_roots(url, root, shown):
    """Relative to the login as in RFC 1738; absolute behind %2F."""
    found = target(url, {})
    assert (found.root, found.url) == (root, shown)


def test_users_and_passwords_are_decoded():
    """And are in nothing that is shown; without any it is anonymous."""
    settings = target("ftp://us%40er:se%3Acret%C3%BC@h/", {}).settings
    assert (settings.user, settings.password.encode("latin-1")) == ("us@er", "se:cretü".encode())
    assert "cret" not in repr(settings)
    assert target("ftp://h/", {}).settings.user == "anonymous"


def test_netrc(home):
    """Is used where the URL has no password, if it is of the same user; a broken one says where, not what."""
    file = home / ".netrc"
    file.write_text("machine h login me password secret\n")
    file.chmod(0o600)
    for url, user, password in [
        ("ftp://h/", "me", "secret"), ("ftp://me@h/", "me", "secret"), ("ftp://you@h/", "you", ""),
        ("ftp://me:other@h/", "me", "other"), ("ftp://g/", "anonymous", ""),
    ]:  # fmt: skip
        settings = target(url, {}).settings
        assert (settings.user, settings.password) == (user, password)
    file.write_text("machine h login me passwort secret\n")
    with pytest.raises(errors.UsageError, match="line 1") as caught:
        target("ftp://h/", {})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["http://h/", "ftp:///x", "ftp://u:secret#1@h/", "ftp://u:secret?1@h/", "ftp://u:secret/1@h/", "ftp://u:secret@h:x/",
     "ftp://u:secret@h:0/", "ftp://u:secret@h/a/../b", "ftp://u:secret%0A@h/", "ftp://u:12/secret@h/", "ftp://[u:secret@h/"],
)  # fmt: skip
def test_urls_that_are_none(url):
    """Say so without what may be a password."""
    with pytest.raises(errors.UsageError) as caught:
        target(url, {})
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("scheme", "options"),
    [("ftp", {"tls": "explicit"}), ("ftp", {"passive": "maybe"}), ("ftp", {"timeout_s": "0"}), ("ftp", {"timeout_s": "x"}),
     ("ftp", {"other": "1"}), ("ftp", {"encoding": "utf-16"}), ("ftps", {"tls": "none"}), ("ftps", {"verify": "perhaps"}),
     ("ftps", {"ca_file": "/nowhere/x.pem"})],
)  # fmt: skip
def test_options_that_are_none(scheme, options):
    """Say what there is."""
    with pytest.raises(errors.UsageError):
        target(f"{scheme}://h/", options)


def test_certificates_are_checked_unless_told_otherwise():
    """By default with their names."""
    import ssl

    context = target("ftps://h/", {}).settings.context
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert target("ftps://h/", {"verify": "no"}).settings.context.verify_mode == ssl.CERT_NONE
    assert target("ftp://h/", {}).settings.context is None
    implicit = target("ftps://h/", {"tls": "implicit", "passive": "no", "timeout_s": "2.5"}).settings
    assert (implicit.port, implicit.is_implicit, implicit.is_passive, implicit.timeout_s) == (990, True, False, 2.5)
