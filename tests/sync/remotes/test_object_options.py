"""From URLs and options to a bucket; no request is made."""

from __future__ import annotations

import subprocess
import sys
import threading
import traceback

import pytest

from flatwater import errors, limits
from flatwater.sync.failures import RemoteFailure
from flatwater.sync.pacing import FREE
from flatwater.sync.remotes.object_options import Place, place

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
     ("s3://bucket", {"endpoint": "host:9000"}, "no URL"), ("s3://bucket", {"endpoint": "http://host:port"}, "no URL"),
     ("s3://bucket", {"endpoint": "http://"}, "no URL"), ("s3://bucket", LOGIN | {"regoin": "x"}, "regoin is wrong or unknown")]
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


def test_nothing_is_imported_or_opened_before_it_is_used():
    """A sync that trusts its state never touches its destination: no library, no file, no connection for it."""
    code = """
import sys
from flatwater.sync.remotes.objects import ObjectStore
options = {"endpoint": "http://127.0.0.1:1", "region": "x", "anonymous": "false", "virtual_hosted_style_request": "true"}
for url, more in (("s3://name:secret@bucket/x", options), ("s3://bucket", {}), ("gs://bucket", {}), ("az://box", {"account_name": "me"})):
    with ObjectStore.from_url(url, more) as remote:
        assert remote.url and remote.refusal(b"") and not remote.refusal(b"a")
        assert remote.copies_inside(remote) and remote.bytes_max(8) and remote.listing_bytes()
        assert remote.tells_md5 == url.startswith("s3")
print([name for name in ("obstore", "botocore", "boto3", "lxml", "urllib3", "http.client", "ssl", "socket") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_it_is_made_once_whoever_asks(monkeypatch):
    """Threads that ask at the same time get the same; where it could not be made, it is made when it is asked for again."""
    made, begin = [], threading.Barrier(8)

    def make(seconds):
        made.append(seconds)
        if len(made) == 1:
            raise errors.UsageError("not yet")
        return object()

    found = Place("memory://", "", (), None, make, has_md5=False, is_sorted=True)
    with pytest.raises(errors.UsageError):
        _ = found.small
    seen = []

    def ask():
        begin.wait()
        seen.append(found.small)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2
    assert len(set(map(id, seen))) == 1
    assert found.small is not found.large


@pytest.mark.parametrize("name", ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"])
def test_credentials_of_the_environment_need_no_session(monkeypatch, name):
    """With the token that belongs to them; those that expire are botocore's matter, and those that are said win."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "hidden-name")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-secret")
    monkeypatch.setenv(name, "hidden-token")
    found = place("s3://bucket", {}).keys
    assert found.keys == ("hidden-name", "hidden-secret", "hidden-token")
    assert found.credentials()["token"] == "hidden-token"
    assert "_session" not in vars(found)
    assert "hidden" not in repr(found) + repr(found.keys)
    said = place("s3://bucket", {"access_key_id": "other", "secret_access_key": "more"})
    assert said.keys.credentials()["token"] is None
    _ = said.small
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2100-01-01T00:00:00Z")
    assert place("s3://bucket", {}).keys.keys is None


def test_the_chain_of_credentials(monkeypatch, tmp_path):
    """What botocore finds in its files signs a listing, too; where it finds nothing, that is said."""
    file = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    missing = place("s3://bucket", {"endpoint": "http://127.0.0.1:1"}).keys
    with pytest.raises(RemoteFailure, match="no credentials"):
        list(missing.pages(FREE, ""))
    file.write_text("[default]\naws_access_key_id = named\naws_secret_access_key = secret\n")
    found = place("s3://bucket", {"endpoint": "http://127.0.0.1:1"}).keys
    assert "Credential=named/" in found._signed({"list-type": "2"}).headers["Authorization"]


@pytest.mark.parametrize(
    ("bucket", "options", "address"),
    [("bucket", {"endpoint": "http://127.0.0.1:1/"}, "http://127.0.0.1:1/bucket"),
     ("bucket", {"endpoint": "https://host/x"}, "https://host/x/bucket"),
     ("bucket", {"endpoint": "https://host", "virtual_hosted_style_request": "true"}, "https://bucket.host/"),
     ("bucket", {"region": "eu-west-1"}, "https://bucket.s3.amazonaws.com/"),
     ("buck.et", {"region": "eu-west-1"}, "https://s3.eu-west-1.amazonaws.com/buck.et"),
     ("bucket", {"region": "cn-north-1"}, "https://bucket.s3.cn-north-1.amazonaws.com.cn/")]
)  # fmt: skip
def test_where_listings_are_asked_for(bucket, options, address):
    """An endpoint is taken as it is said; the rest is botocore's knowledge."""
    keys = place(f"s3://{bucket}", LOGIN | options).keys
    asked = keys._signed({"list-type": "2", "prefix": "a b/ü+", "encoding-type": "url"})
    assert asked.url == f"{address}?encoding-type=url&list-type=2&prefix=a%20b%2F%C3%BC%2B"
    assert asked.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=hidden-name/")


@pytest.mark.parametrize("bucket", ["bucket--use1-az4--x-s3", "bucket-op-s3alias--op-s3"])
def test_buckets_that_are_signed_in_ways_of_their_own(bucket, monkeypatch):
    """Are asked for by botocore's client, in its words."""
    keys = place(f"s3://{bucket}", LOGIN).keys
    asked = []

    class Client:
        def generate_presigned_url(self, operation, **words):
            asked.append((operation, words["Params"]))
            return "https://host/"

    vars(keys)["_client"] = Client()
    keys._signed({"list-type": "2", "prefix": "a/", "max-keys": "5"})
    assert asked == [("list_objects_v2", {"Bucket": bucket, "Prefix": "a/", "MaxKeys": 5})]


_GIVES_BACK = """
import re, threading
from flatwater import limits
from flatwater.sync.remotes.object_options import place

assert place("s3://bucket", {"anonymous": "true", "endpoint": "http://127.0.0.1:1"}).small

def anonymous():
    with open("/proc/self/status") as file:
        return int(re.search(r"RssAnon:\\s+(\\d+)", file.read())[1]) << 10

def part(around, gathered):
    for _ in range(4):
        gathered.clear()
        while len(gathered) < limits.SYNC_PART_BYTES:
            gathered += b"x" * limits.SYNC_FEED_BYTES
            around.wait()
    gathered.clear()

before = anonymous()
around = threading.Barrier(8)
threads = [threading.Thread(target=part, args=(around, bytearray())) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(anonymous() - before)
"""


def test_buffers_of_parts_are_given_back():
    """To the system, whichever thread had them: C's library would keep those of each for itself."""
    told = subprocess.run([sys.executable, "-c", _GIVES_BACK], capture_output=True, text=True, check=True, timeout=60)
    assert int(told.stdout) < limits.SYNC_FEED_BYTES


@pytest.mark.parametrize("url", ["gs://bucket/x", "az://container"])
def test_a_store_without_its_library(monkeypatch, url):
    """It is said what to install, before anything is asked of the store."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(errors.MissingExtra, match="obstore"):
        place(url, {})
