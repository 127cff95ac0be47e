"""From URLs and options to a bucket; no request is made."""

from __future__ import annotations

import traceback

import pytest

from flatwater import errors
from flatwater.sync.remotes.object_options import place

LOGIN = {"access_key_id": "hidden-name", "secret_access_key": "hidden-secret"}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith(("AWS_", "GOOGLE_", "AZURE_")):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("url", "prefix"),
    [("s3://bucket", ""), ("s3://bucket/", ""), ("s3://bucket/a", "a/"), ("s3://bucket/a/", "a/"), ("s3://bucket/a//", "a//"),
     ("s3://bucket/a%20b", "a%20b/")]
)  # fmt: skip
def test_prefixes(url, prefix):
    """End with a slash, and are taken as they are."""
    assert place(url, LOGIN).prefix == prefix


@pytest.mark.parametrize(
    ("url", "options", "told"),
    [("ftp://bucket", {}, "no URL of an object store"), ("s3:///x", {}, "no URL"), ("bucket", {}, "no URL"),
     ("s3://bucket/a?region=x", {}, "not in the URL"), ("s3://hidden-name@bucket", {}, "login"),
     ("s3://bucket", {"access_key_id": "hidden-name"}, "one half"), ("s3://bucket", {"anonymous": "perhaps"}, "true or false"),
     ("s3://bucket", {"endpoint": "host:9000"}, "no URL"), ("s3://bucket", LOGIN | {"regoin": "x"}, "regoin is wrong or unknown")]
)  # fmt: skip
def test_what_is_wrong_is_said(url, options, told):
    """Without what is secret."""
    with pytest.raises(errors.UsageError, match=told) as caught:
        place(url, options)
    assert "hidden" not in "".join(traceback.format_exception(caught.value)).replace("hidden-name@", "")


def test_a_login_in_the_url():
    """Is decoded, and shown nowhere."""
    found = place("s3://hidden%2Fname:hidden%40secret@bucket/x", {"region": "eu-west-1"})
    assert found.keys._session.get_credentials().secret_key == "hidden@secret"
    assert found.keys._session.get_credentials().access_key == "hidden/name"
    assert "hidden" not in repr(found) + found.url + repr(found.keys)
    assert found.url == "s3://bucket/x"


def test_the_environment(monkeypatch):
    """Endpoint, region, credentials, for both libraries alike; what is said wins."""
    for name, value in (("AWS_ENDPOINT_URL", "http://127.0.0.1:1"), ("AWS_REGION", "eu-west-1"),
                        ("AWS_ACCESS_KEY_ID", "name"), ("AWS_SECRET_ACCESS_KEY", "secret")):  # fmt: skip
        monkeypatch.setenv(name, value)
    found = place("s3://bucket", {})
    assert found.url == "s3://bucket at http://127.0.0.1:1"
    assert found.keys._client.meta.region_name == "eu-west-1"
    assert found.keys.credentials()["access_key_id"] == "name"
    said = place("s3://bucket", {"endpoint": "https://user:hidden@host/x", "region": "us-west-2"})
    assert said.url == "s3://bucket at https://host"
    assert said.keys._client.meta.region_name == "us-west-2"


def test_kms_and_directory_buckets():
    """Their etags are no MD5; directory buckets list in no order."""
    assert place("s3://bucket", LOGIN).has_md5
    assert not place("s3://bucket", LOGIN | {"server_side_encryption": "aws:kms"}).has_md5
    found = place("s3://bucket--use1-az4--x-s3", LOGIN)
    assert (found.has_md5, found.is_sorted) == (False, False)


def test_other_stores():
    """By their own options."""
    assert place("gs://bucket/x", {"anonymous": "true"}).keys is None
    options = {"account_name": "account", "account_key": "aGlkZGVu"}
    assert place("az://container/x", options).prefix == "x/"
